"""Clauses that say nothing of a figure: greetings, who is asking, what it is for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agents.analyst.grammar.chart import FILLER, Phrase
from agents.analyst.grammar.text import Unit, fold
from agents.analyst.grammar.words import INSIDE, word

ASIDE = "aside"
ASKED = ("whoever", "whereabouts", "asked_when")
_WHOLE = ("beyond", "at_present", "quantity", "sum_after", "ratio_after", "difference")
_STOP = re.compile(r"[.,!?;:…()–—\n]|(?<=\s)-(?=\s)|[，。！？；：、（）]")


def leading(question: str, text: Sequence[Unit], found: Sequence[Phrase]) -> list[Phrase]:
    """The same words, with each such clause as one phrase too. `Who` and `where` ask where they begin a
    clause, and are a pronoun elsewhere;
    in Chinese they are none.
    """
    begins = {one.start for one in found if one.category == "asker" and _asks(one, found)}
    stops = _stops(fold(question), text)
    firsts = _firsts(stops | begins, found)
    bounds = [one for one in found if one.category == "than"]
    # Words that are not passed over one by one: right now, how do I, how far.
    whole = [one for one in found if one.category in _WHOLE and INSIDE not in one.features]
    lasting = [one for one in found if one.category == "how_long"]
    order = {(one.start, one.end) for one in found if one.category in ("top", "most", "than", "not", "share")}
    named = {(one.start, one.end) for one in found if one.category in ("metric", "dimension", "entity")}
    # Who are our top customers: what follows says who.
    copulas = {one.start for one in found if one.category == "copula"}
    asked = {
        (one.start, one.end)
        for one in found
        if one.category in ASKED
        and (one.start in firsts or text[one.start].chinese)
        and (one.category != ASKED[0] or one.end not in copulas)
    }
    kept = [
        one
        for one in found
        if (one.category not in ASKED or (one.start, one.end) in asked)
        and (one.category != FILLER or (one.start, one.end) not in asked)
        and not (one.category in ("unit", "typical") and any(_within(one, long) for long in lasting))
        and not (one.category == "most" and any(_within(one, bound) for bound in bounds))
        and not (one.category == "mention" and _is_listed(one, text))
        and not (one.category == FILLER and any(_within(one, other) for other in whole))
        and not ({"value:part", "value:form"} & {*one.features} and (one.start, one.end) in named)
        and not (one.category == "value" and "name:word" in one.features and (one.start, one.end) in order)
    ]
    return [*kept, *_asides(text, found, stops, begins, firsts)]


def _asides(
    text: Sequence[Unit], found: Sequence[Phrase], stops: set[int], begins: set[int], firsts: set[int]
) -> Iterator[Phrase]:
    """A clause ends with a stop, or where somebody is said to ask. One that names a figure or a value may be
    meant as a part of the question: `I work in Berlin`.
    """
    said = [one for one in found if one.category in ("metric", "value") and "name:word" not in one.features]
    for phrase in found:
        if phrase.category not in ("opening", "greeting"):
            continue
        if phrase.start not in (stops if phrase.category == "greeting" else firsts):
            continue
        end = min((stop for stop in stops | begins if stop >= phrase.end), default=len(text))
        if phrase.category == "greeting" and end != phrase.end:
            continue
        if end in begins and any(one.category == "and" and one.end == end for one in found):
            end -= 1
        if phrase.value == "event" or not any(phrase.end <= one.start and one.end <= end for one in said):
            yield word(ASIDE, phrase.start, end, phrase.category)


def _within(one: Phrase, other: Phrase) -> bool:
    return (
        other.start <= one.start and one.end <= other.end and (one.start, one.end) != (other.start, other.end)
    )


def _is_listed(mention: Phrase, text: Sequence[Unit]) -> bool:
    """Orders, *buyers*, profit: one of several figures, and not merely mentioned beside one."""
    around = (text[at].text for at in (mention.start - 1, mention.end) if 0 <= at < len(text))
    return [one in (",", "、", ";") for one in around] == [True, True]


def _asks(asker: Phrase, found: Sequence[Phrase]) -> bool:
    return any(one.category == "asks" and one.start == asker.end for one in found)


def _stops(folded: str, text: Sequence[Unit]) -> set[int]:
    """Positions before which a clause ends."""
    ends = [0, *(unit.end for unit in text)]
    starts = [*(unit.start for unit in text), len(folded)]
    stops = {at for at in range(len(text) + 1) if _STOP.search(folded, ends[at], starts[at])}
    commas = [at for at, unit in enumerate(text) if unit.text in (",", "、", ";")]
    return {0, len(text), *stops, *commas, *(at + 1 for at in commas)}


def _firsts(stops: set[int], found: Sequence[Phrase]) -> set[int]:
    """Where clauses begin, words like `and`, `so`, `hello` left out."""
    passed = sorted((one.start, one.end) for one in found if one.category in (FILLER, "and", "asks", "asker"))
    firsts = set(stops)
    for start, end in passed:
        if start in firsts:
            firsts.add(end)
    return firsts
