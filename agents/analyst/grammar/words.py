"""The lattice: each word and phrase of the lexicon and of the project that a text may be read as."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Protocol

import yaml

from agents.analyst.grammar.asking import asked_for
from agents.analyst.grammar.characters import standing
from agents.analyst.grammar.chart import FILLER, Phrase
from agents.analyst.grammar.text import Unit, fold, number, units
from agents.analyst.grammar.written import NUMBER, dashed, written

FOLDER = Path(__file__).with_name("lexicon")
# Found by its stem only: `running` for runs, `ordered` for orders.
INFLECTED = "inflected"
INSIDE = "inside"
# Words of these are themselves only: what lists are is no `list`.
_AS_LISTED = {FILLER, "asker", "asks", "opening", "greeting", "beyond"}
_THINGS = {"entity", "mention", "counted"}
_ARTICLES = {"a", "an"}
_HAVING = {"had", "have", "has", "having"}
_OF_VERBS = set("了过得掉完多几最")
_WHOLE_NAMES = ("name:label", "name:name", "name:synonym")
NAMES = ("metric", "dimension", "value", "entity")
_BEFORE_NAMES = {"the", "in", "within"}
_DONE = ("verb", "mention", "metric", "value")
_OF_PROJECTS = (*NAMES, "verb", "mention", "superlative")


@dataclass
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    meanings: dict[tuple[str, Hashable, tuple[str, ...]], list[tuple[str, ...]]] = field(default_factory=dict)


class Matching(Protocol):
    """Whatever knows words: the language's lexicon, a project's vocabulary."""

    def match(self, text: Sequence[Unit], start: int) -> Iterable[Phrase]: ...


class Lexicon:
    """Phrases by their units' keys: category, meaning and features of each, and the ways it is written.
    `=last` is that form alone: neither `lasted` nor `lasts`.
    """

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, phrase: str, category: str, meaning: Hashable, *features: str) -> None:
        exact = phrase[:1] == "=" and phrase[1:2].isalpha()
        path = units(fold(phrase[exact:]), marked=True)
        # The possessive may be in a question and may not.
        path = [unit for unit in path if unit.text != "的"] or path
        if not path:
            return
        node = self._root
        for unit in path:
            node = node.children.setdefault(unit.key, _Node())
        node.meanings.setdefault((category, meaning, features), []).append(
            tuple(f"={unit.text}" if exact else plain(unit.text) for unit in path)
        )

    def written(self) -> Iterator[str]:
        """Every phrase as it is written."""
        nodes = [self._root]
        while nodes:
            node = nodes.pop()
            nodes.extend(node.children.values())
            for texts in node.meanings.values():
                yield from (" ".join(text) for text in texts)

    def match(self, text: Sequence[Unit], start: int) -> Iterable[Phrase]:
        """Phrases that the text has from one unit on; another form than a plural is a feature of its own."""
        node = self._root
        said: list[str] = []
        exactly: list[str] = []
        for position in range(start, len(text)):
            found = node.children.get(text[position].key)
            if found is None:
                return
            node = found
            said.append(plain(text[position].text))
            exactly.append(f"={text[position].text}")
            for (category, meaning, features), forms in node.meanings.items():
                if tuple(said) in forms or tuple(exactly) in forms:
                    yield word(category, start, position + 1, meaning, *features)
                elif category not in _AS_LISTED and any(not form[0].startswith("=") for form in forms):
                    yield word(category, start, position + 1, meaning, *features, INFLECTED)


def plain(text: str) -> str:
    """A word without the ending of a plural."""
    if not text.isascii() or len(text) <= 3 or text.endswith(("ss", "us", "is")):
        return text
    return text[:-3] + "y" if text.endswith("ies") else text.removesuffix("s")


@cache
def shipped() -> Lexicon:
    """The words of the languages themselves, of no project."""
    lexicon = Lexicon()
    for path in sorted(FOLDER.glob("*.yml")):
        for category, meanings in yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader).items():
            for meaning, phrases in meanings.items():
                for phrase in phrases:
                    lexicon.add(phrase, category, str(meaning))
    return lexicon


def word(category: str, start: int, end: int, meaning: Hashable, *features: str) -> Phrase:
    roles = tuple((position, category) for position in range(start, end))
    named = f"filler:{meaning}" if category == FILLER else f"word:{category}"
    return Phrase(category, start, end, meaning, (named, *features), roles)


def lattice(question: str, *lexicons: Matching) -> tuple[list[Unit], list[Phrase]]:
    """The units of a question and all that they may be read as; numbers are words too.

    A word of the project is hardly ever passed over as a filler of the language, and never where it is
    written as a name: orders from the US, show us orders.
    """
    folded = dashed(fold(question))
    text = units(folded, marked=True)
    spots = range(len(text))
    found = [phrase for lexicon in lexicons for start in spots for phrase in lexicon.match(text, start)]
    found = standing(folded, text, found)
    shortened = _shortened(text, found, lexicons)
    alone = {one.start for one in shortened}
    found = [one for one in found if one.end - one.start > 1 or one.start not in alone] + shortened
    names = {(phrase.start, phrase.end) for phrase in found if phrase.category in NAMES}
    words = {(phrase.start, phrase.end) for phrase in found if phrase.category not in NAMES}
    things = {phrase.start for phrase in found if phrase.category in ("metric", "entity")}
    # Urgent tickets are such tickets, whatever is urgent to who asks.
    telling = {
        (phrase.start, phrase.end)
        for phrase in found
        if phrase.category == "value" and "value:exact" in phrase.features and phrase.end in things
    }
    kept = []
    for phrase in found:
        span = phrase.start, phrase.end
        if phrase.category == FILLER and span in telling:
            continue
        if phrase.category == "value" and span in words and not _is_name(question, text, *span):
            kept.append(replace(phrase, features=(*phrase.features, "name:word")))
        elif phrase.value == "relative" and phrase.category == FILLER and phrase.end == len(text):
            # The longest wait, and where?
            continue
        elif phrase.category != FILLER or span not in names:
            kept.append(phrase)
        elif phrase.start and text[phrase.start - 1].text in _BEFORE_NAMES:
            # Those in the us, and not: show us.
            continue
        elif not _is_name(question, text, *span):
            kept.append(replace(phrase, features=("filler:name",)))
    found = asked_for(text, _of_things(text, written(folded, text, [*kept, *numbers(text)])))
    return text, _inside(text, _scoped(text, _longest(found)))


def _shortened(text: Sequence[Unit], found: Sequence[Phrase], lexicons: Sequence[Matching]) -> list[Phrase]:
    """Input and output tokens, successful and failed runs: the word with the rest of the name that follows is
    a name too.
    """
    known = {one.start for one in found if one.category in ("metric", "entity", "dimension")}
    more = []
    for joint in found:
        before = joint.start - 1
        if joint.category not in ("and", "or", "versus") or before < 0 or before in known:
            continue
        for name in found:
            if name.category != "metric" or name.start != joint.end or name.end - name.start < 2:
                continue
            whole = [text[before], *text[name.start + 1 : name.end]]
            more += [
                word("metric", before, before + 1, one.value, *one.features[1:])
                for lexicon in lexicons
                for one in lexicon.match(whole, 0)
                if one.category == "metric"
                and one.end == len(whole)
                and one.value != name.value
                and set(_WHOLE_NAMES) & set(one.features)
                and INFLECTED not in one.features
            ]
    return list(dict.fromkeys(more))


def _of_things(text: Sequence[Unit], found: Sequence[Phrase]) -> list[Phrase]:
    """Without what is said of things and not of figures: people *under* 30, bought *by* people, *returning*
    customers; and without the ranking that `more than 3` is not.
    """
    begins: dict[int, set[str]] = defaultdict(set)
    ends: dict[int, set[str]] = defaultdict(set)
    for phrase in found:
        if phrase.category != "mention" or "mention:thing" in phrase.features:
            begins[phrase.start].add(phrase.category)
            ends[phrase.end].add(phrase.category)

    things = {phrase.start for phrase in found if phrase.category == "entity"}
    names = {phrase.end for phrase in found if phrase.category == "metric"}
    figures = {phrase.start for phrase in found if phrase.category == NUMBER}
    bounds = [one for one in found if one.category == "than" and one.end in figures]
    bounded = {at for one in bounds for at in range(one.start, one.end)}
    asked = {phrase.end for phrase in found if phrase.category == "how_many"}
    asked |= {phrase.end for phrase in found if phrase.category == "counter_of" and phrase.start in asked}
    kinds = {phrase.start for phrase in found if phrase.category == "different"} & asked
    told = {(phrase.start, phrase.end) for phrase in found if phrase.category == "dimension"}

    compared = {phrase.start for phrase in found if phrase.category in ("most", "comparative")}
    # 客户多少钱 is no more of them.
    compared -= {phrase.start for phrase in found if phrase.category in ("how_many", "quantity")}
    done = {one.end for one in found if one.category in ("verb", "of_zh") and text[one.start].chinese}

    whose = next((at for at, unit in enumerate(text) if unit.text == "who"), 0)
    measured = min((one.start for one in found if one.category in ("metric", "verb", "quantity")), default=0)
    verbs = {(one.start, one.end) for one in found if one.category == "verb"}
    nouns = {one.end for one in found if one.category in ("metric", "entity", "unit", "verb")}
    asked_of = {one.end for one in found if text[one.end - 1].text in ("does", "do", "did")}

    passed = {(one.start, one.end) for one in found if one.category == FILLER and one.end == one.start + 1}
    either = {span for span in passed & verbs if text[span[0]].chinese}

    def is_of_thing(phrase: Phrase) -> bool:
        if phrase.category in (FILLER, "verb", "mention") and (phrase.start, phrase.end) in either:
            # 看中国的, 用柱状图 are said to whom is asked; 看了多少病人 is what is done.
            return (phrase.category == FILLER) == _is_done(text, phrase.end)
        if phrase.category == "per" and text[phrase.start].text in _ARTICLES:
            # Customers who had a cancellation are not so many a cancellation.
            return phrase.start not in nouns | asked_of
        if "mention:thing" in phrase.features and phrase.start < whose and phrase.start < measured:
            # Patients over 65 who had a no-show are so many patients.
            return True
        if phrase.category == "mention" and _has_some(text, phrase.end):
            # Orders with a return: so many orders, and not returns of orders.
            return True
        if "mention:thing" in phrase.features and phrase.end in compared and phrase.start in done:
            # 买的人最多 asks for the people.
            return True
        if phrase.category == "mention" and phrase.start in names and (phrase.start, phrase.end) in told:
            # The return rate distribution center: nobody knows how they go together.
            return True
        before, after = ends[phrase.start], begins[phrase.end]
        if phrase.category in ("comparative", "versus", "more", "differ"):
            # More than ten: no more of one than of the other.
            return phrase.start in bounded
        if phrase.category == "each":
            # 多少种不同的: how many, and not of each.
            return phrase.start in kinds
        if phrase.category in _DONE and phrase.end in things and text[phrase.end - 1].text.endswith("ing"):
            return phrase.category != "metric" or INFLECTED in phrase.features
        if phrase.category == "than":
            return bool(before & _THINGS) and not before & {
                "metric",
                "verb",
                "dimension",
                "unit",
                "grain_word",
            }
        if phrase.category == "by":
            return "verb" in before and bool(after & _THINGS) and "dimension" not in after
        return False

    return [phrase for phrase in found if not is_of_thing(phrase)]


def _has_some(text: Sequence[Unit], at: int) -> bool:
    """Whether what stands before is told by what it has: with a, who had."""
    said = [unit.text for unit in text[at : at + 2]]
    return bool(_HAVING.intersection(said)) or (said[:1] == ["with"] and said[1:] != ["the"])


def _is_done(text: Sequence[Unit], at: int) -> bool:
    """Whether what stands here is of a Chinese verb: 了, 过, 得, how many, most."""
    return at < len(text) and text[at].text in _OF_VERBS


def _scoped(text: Sequence[Unit], found: Sequence[Phrase]) -> list[Phrase]:
    """Without a `not` before or after two values side by side: all but German women, or women, but for
    Germans?
    """
    values = [phrase for phrase in found if phrase.category == "value"]
    passed = {(phrase.start, phrase.end) for phrase in found if phrase.category == FILLER}
    two = [
        (one.start, other.end)
        for one in values
        for other in values
        if (other.start == one.end or (other.start == one.end + 1 and text[one.end].text == "的"))
        and not set(one.value[0].split("|")) & set(other.value[0].split("|"))  # type: ignore[index]
    ]
    starts = {start for start, _ in two}
    for _ in range(2):
        starts |= {start for start, end in passed if end in starts}
    ends = {end for _, end in two}
    return [
        phrase
        for phrase in found
        if not (phrase.category == "not" and phrase.end in starts)
        and not (phrase.category == "not_after" and phrase.start in ends)
    ]


def _longest(found: Sequence[Phrase]) -> list[Phrase]:
    """Who says a metric's whole name means no other that a part of it names or asks for: largest fee, fee;
    pupils taught, lessons. Nor is a part of a dimension's whole name an everyday word for a metric: a denial
    reason is no reason of denied claims.
    """
    whole = [
        one
        for one in found
        if one.category in ("metric", "dimension")
        and set(_WHOLE_NAMES) & set(one.features)
        and INFLECTED not in one.features
    ]
    return [one for one in found if not any(_is_part(one, name) for name in whole)]


def _is_part(one: Phrase, name: Phrase) -> bool:
    """Whether a phrase may be of other metrics, by words that the name has more of."""
    if name.category == "dimension":
        if one.category != "metric" or "name:alike" not in one.features:
            return False
    elif one.category not in ("verb", "value") and (one.category != "metric" or one.value == name.value):
        return False
    longer = one.end - one.start < name.end - name.start
    return longer and name.start <= one.start and one.end <= name.end


def _inside(text: Sequence[Unit], found: Sequence[Phrase]) -> list[Phrase]:
    """A word within a longer one is less likely itself than a part of it; what one Chinese character names or
    does, such as 单 in 单价, is none there.
    """
    spans = {(phrase.start, phrase.end) for phrase in found}
    inner = {
        (start, end)
        for start, end in spans
        if any(first <= start and end <= last and (first, last) != (start, end) for first, last in spans)
    }
    return [
        replace(phrase, features=(*phrase.features, INSIDE))
        if (phrase.start, phrase.end) in inner
        else phrase
        for phrase in found
        if not (
            phrase.category in _OF_PROJECTS
            and (phrase.start, phrase.end) in inner
            and phrase.end == phrase.start + 1
            and text[phrase.start].chinese
        )
    ]


def _is_name(question: str, text: Sequence[Unit], start: int, end: int) -> bool:
    """Whether what may be a word of the language is written as a name; in Chinese anything may be one."""
    written = question[text[start].start : text[end - 1].end]
    return not written.isascii() or written.isupper() or (written[:1].isupper() and start > 0)


def numbers(text: Sequence[Unit]) -> Iterable[Phrase]:
    for start, unit in enumerate(text):
        if unit.text[0].isdigit():
            plain = unit.text.replace(",", "")
            if plain.count(".") < 2:
                yield word(NUMBER, start, start + 1, float(plain) if "." in plain else int(plain))
        elif not unit.chinese and (said := number(unit.text)) is not None:
            yield word(NUMBER, start, start + 1, said)
        elif unit.chinese:
            for end in range(start + 1, min(len(text), start + 6) + 1):
                run = "".join(one.text for one in text[start:end])
                if not all(one in "零〇一二两三四五六七八九十百千万亿" for one in run):
                    break
                value = number(run)
                if value is not None:
                    yield word(NUMBER, start, end, value)
            if count := {"俩": 2, "仨": 3}.get(unit.text):
                yield word(NUMBER, start, start + 1, count)
                yield word("all_of_them", start, start + 1, count)
