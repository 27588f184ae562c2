"""What words ask for by where they stand: how much somebody sold asks for the sale, no mere mention of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from agents.analyst.grammar.chart import FILLER, Phrase
from agents.analyst.grammar.fragment import BETWEEN
from agents.analyst.grammar.text import Unit

COUNTED_IN, SHARE_BESIDE = "counted_in", "share_beside"
BOTH = "both"
# What a verb asks for, and beside what it says nothing new.
DONE = "done"
_ASKS = ("how_many", "quantity")
_NAMED = ("metric", "dimension", "entity", "value", "verb")
_AMOUNTS = ("最多", "最少")
_FIGURES = ("how_many", "quantity", "metric", "most")


def asked_for(text: Sequence[Unit], found: Sequence[Phrase]) -> list[Phrase]:
    """The same words without those that cannot be meant beside what follows them."""
    names = {one.start for one in found if one.category in _NAMED}
    alone = {one.start for one in found if one.category in _ASKS and one.end not in names}
    verbs = {(one.start, one.end): one for one in found if one.category == "verb"}
    beside = {
        (one.start, one.end): str(one.value)
        for one in found
        if one.category == "mention" and (one.start, one.end) in verbs
    }
    own = _own(text, found, beside)
    both = [one.start for one in found if one.category == BOTH]
    # 又退得多又卖得多 is no order of one figure; one 又 says no more than again.
    both = both if len(both) > 1 else []
    told = {one.end for one in found if one.category in _FIGURES and text[one.start].chinese}
    told |= {one.end for one in found if one.category == "counter_event" and one.start in told}
    things = {(one.start, one.end) for one in found if one.category in ("dimension", "entity")}
    kept = []
    for one in found:
        span = one.start, one.end
        if (
            one.category in ("metric", "verb")
            and span in things
            and one.start
            and text[one.start - 1].text == "which"
        ):
            # Which customer: one of them, and not their number.
            continue
        following = "".join(unit.text for unit in text[one.end : one.end + 2])
        if one.category == "mention" and (
            (span in verbs and one.end in alone)
            or (following in _AMOUNTS and "mention:thing" in one.features)
        ):
            continue
        if (one.category == BOTH and not both) or (one.category == FILLER and one.start in both):
            continue
        if one.category == "than" and following[:1] == "的":
            # The three with the least, and no `at least three`.
            continue
        if (
            one.category in ("share", "as_share")
            and one.start - 1 in told
            and text[one.start - 1].text == ","
        ):
            # 卖了多少，占多少: what was sold, and its share.
            if one.category == "share":
                kept.append(replace(one, category=SHARE_BESIDE))
            continue
        if span in own:
            if one.category == "metric":
                kept.append(replace(one, category=COUNTED_IN))
            continue
        kept.append(one)
    done = [
        replace(verb, category=DONE, value=(verb.value, beside[span]))
        for span, verb in verbs.items()
        if span in beside
    ]
    return kept + done


def _own(
    text: Sequence[Unit], found: Sequence[Phrase], beside: Mapping[tuple[int, int], str]
) -> set[tuple[int, int]]:
    """Measure words for what the project itself counts, where the verb says nothing new of it: 卖了多少单."""
    after: dict[int, set[str]] = {}
    for one in found:
        if one.category == "how_many":
            for (_, end), metrics in beside.items():
                if end == one.start:
                    after.setdefault(one.end, set()).update(metrics.split(BETWEEN))
    words = {(one.start, one.end) for one in found if one.category == "counter_event"}
    return {
        (one.start, one.end)
        for one in found
        if one.category == "metric"
        and (one.start, one.end) in words
        and after.get(one.start, set()) & set(str(one.value).split(BETWEEN))
    }
