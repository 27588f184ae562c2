"""Misspelt words: what a word that means nothing must have been, or nothing where that is not certain.

English by edit distance with transpositions, Chinese by sound. A word of English that the project does not
know is no misspelling of one that it does: coats are not costs.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources

from rapidfuzz import process
from rapidfuzz.distance import OSA

from agents.analyst.grammar.chart import Phrase
from agents.analyst.grammar.text import Unit, stem, unaccented
from agents.analyst.grammar.words import word
from agents.analyst.vocabulary.phrases import LONGEST

Match = Callable[[Sequence[Unit], int], Iterable[Phrase]]

# Two slips in a word of eight letters or more, one in a shorter, none in what has fewer than four.
_SLIPS = ((8, 2), (4, 1))
# A name such as Quiksilver may differ in one letter from a word of the language.
_NAME = 8
_LONGEST_ZH = 8
_SHORTEST_ZH = 3
_LONGEST_NAME = 4
_PINYIN = 5


class Spelling:
    """`names` are the phrases of the project and of the language, `values` those of the warehouse: a slip in
    the former is likelier.
    """

    def __init__(self, names: Words, values: Words) -> None:
        self._tiers = [names, values]

    def corrected(self, text: Sequence[Unit], words: Sequence[Phrase], match: Match) -> list[Phrase]:
        """What the text has with its unknown words put right; each is a feature `spelling:said>meant`."""
        known = {at for phrase in words for at in range(phrase.start, phrase.end)}
        unknown = [at for at in range(len(text)) if at not in known]
        if not unknown:
            return []
        meant = {at: right for at in unknown if (right := self._latin(text[at]))}
        found = list(_matched(text, meant, match)) if meant else []
        for at in unknown:
            if text[at].chinese:
                found += self._chinese(text, at, match)
                found += self._romanised(text, at, match)
            elif at not in meant:
                found += self._in_pinyin(text, at, match)
        return list(dict.fromkeys(found))

    def _latin(self, unit: Unit) -> str:
        said = unaccented(unit.text)
        slips = next((slips for length, slips in _SLIPS if len(said) >= length), 0)
        if not slips or not said.isascii() or not said.isalpha():
            return ""
        if any(said in tier.latin for tier in self._tiers):
            return ""
        is_word = said in english()
        if is_word and len(said) < _NAME:
            return ""
        for tier in self._tiers:
            nearest = tier.nearest(said, 1 if is_word else slips)
            # Nobody knows which of two was meant; a name that is no word may be written as one.
            if len({stem(one) for one in nearest}) == 1 and not (is_word and nearest[0] in english()):
                return nearest[0]
        return ""

    def _chinese(self, text: Sequence[Unit], at: int, match: Match) -> Iterator[Phrase]:
        """Phrases over an unknown character that sound like what is written."""
        for start in range(max(0, at - _LONGEST_ZH + 1), at + 1):
            for end in range(max(at + 1, start + _SHORTEST_ZH), min(len(text), start + _LONGEST_ZH) + 1):
                said = "".join(unit.text for unit in text[start:end])
                if not all(unit.chinese for unit in text[start:end]):
                    break
                alike = {one for tier in self._tiers for one in tier.alike(said)}
                if len(alike) == 1:
                    meant = dict(zip(range(start, end), next(iter(alike)), strict=True))
                    slips = {spot: char for spot, char in meant.items() if text[spot].text != char}
                    if len(slips) <= max(1, len(said) // 3):
                        yield from _matched(text, slips, match)

    def _romanised(self, text: Sequence[Unit], at: int, match: Match) -> Iterator[Phrase]:
        """Values in Latin letters that are said in Chinese: 广东 is Guangdong."""
        for start in range(max(0, at - _LONGEST_NAME + 1), at + 1):
            for end in range(max(at + 1, start + 2), min(len(text), start + _LONGEST_NAME) + 1):
                said = text[start:end]
                if not all(unit.chinese for unit in said):
                    break
                meant = "".join(_sound("".join(unit.text for unit in said)))
                if meant in self._tiers[1].latin:
                    for phrase in match([*text[:start], Unit(stem(meant), meant, 0, 0)], start):
                        if phrase.category == "value":
                            feature = f"spelling:{''.join(unit.text for unit in said)}>{meant}"
                            yield word("value", start, end, phrase.value, *phrase.features[1:], feature)

    def _in_pinyin(self, text: Sequence[Unit], at: int, match: Match) -> Iterator[Phrase]:
        """Values in Chinese that are said in Latin letters: Guangdong is 广东."""
        meant = self._tiers[1].pinyin.get(text[at].text, set())
        if len(meant) != 1 or len(text[at].text) < _PINYIN:
            return
        value = next(iter(meant))
        units = [Unit(char, char, 0, 0) for char in value]
        for phrase in match([*text[:at], *units], at):
            if phrase.category == "value" and phrase.end == at + len(units):
                feature = f"spelling:{text[at].text}>{value}"
                yield word("value", at, at + 1, phrase.value, *phrase.features[1:], feature)


class Words:
    """The words of phrases by length, and Chinese phrases by sound."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self.latin: set[str] = set()
        self.pinyin: dict[str, set[str]] = defaultdict(set)
        self._sounding: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for phrase in phrases:
            words = phrase.split(" ")
            self.latin.update(word for word in words if word.isascii() and word.isalpha() and len(word) > 2)
            if 2 <= len(words) <= _LONGEST_NAME and not any(map(str.isascii, words)):
                self.pinyin["".join(_sound("".join(words)))].add("".join(words))
            if _SHORTEST_ZH <= len(words) <= _LONGEST_ZH and not any(map(str.isascii, words)):
                self._sounding[_sound("".join(words))].add("".join(words))
        self._by_length: dict[int, list[str]] = defaultdict(list)
        for one in sorted(self.latin):
            self._by_length[len(one)].append(one)

    def nearest(self, said: str, slips: int) -> list[str]:
        """The words of the least distance, at most `slips`."""
        choices = [
            word
            for length in range(len(said) - slips, len(said) + slips + 1)
            for word in self._by_length.get(length, ())
        ]
        found = process.extract(said, choices, scorer=OSA.distance, score_cutoff=slips, limit=None)
        least = min((distance for _, distance, _ in found), default=0)
        return [word for word, distance, _ in found if distance == least]

    def alike(self, said: str) -> set[str]:
        return self._sounding.get(_sound(said), set()) - {said}


def _matched(text: Sequence[Unit], meant: dict[int, str], match: Match) -> Iterator[Phrase]:
    """The phrases with a word that was put right."""
    right = [
        replace(unit, key=stem(unaccented(meant[at])), text=meant[at]) if at in meant else unit
        for at, unit in enumerate(text)
    ]
    first = max(0, min(meant) - LONGEST)
    for start in range(first, max(meant) + 1):
        for phrase in match(right, start):
            spots = [at for at in range(phrase.start, phrase.end) if at in meant]
            if spots:
                said = tuple(f"spelling:{text[at].text}>{meant[at]}" for at in spots)
                yield replace(phrase, features=(*phrase.features, *said))


def _sound(text: str) -> tuple[str, ...]:
    """How a Chinese text is read, without tones."""
    return tuple(map(_reading, text))


@cache
def _reading(char: str) -> str:
    # Its 47,000 phrases are 45 MB that nothing here asks for.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")
    from pypinyin import Style, pinyin

    return str(pinyin(char, style=Style.NORMAL)[0][0])


@cache
def english() -> frozenset[str]:
    """The words of English, of which none is a slip."""
    lines = (resources.files("symspellpy") / "frequency_dictionary_en_82_765.txt").read_text("utf-8-sig")
    return frozenset(line.split(" ", 1)[0] for line in lines.splitlines())
