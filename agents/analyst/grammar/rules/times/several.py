"""Several named periods: January, April and July; 上周跟上上周; the 1st and the 15th of October."""

from __future__ import annotations

from agents.analyst.grammar.chart import Rule
from agents.analyst.grammar.rules.times.parts import named, of
from agents.analyst.grammar.spans import Several
from agents.analyst.grammar.when import Parts, When

_List = tuple[Parts, ...]


def _two(one: Parts, other: Parts) -> _List | None:
    """10月1日和15日: what the second does not say again is the first's."""
    if len(one) > len(other) and one[len(one) - len(other)][0] == other[0][0]:
        other = (*one[: len(one) - len(other)], *other)
    if [unit for unit, *_ in one] != [unit for unit, *_ in other] or one == other:
        return None
    return (one, other)


def _more(many: _List, other: Parts) -> _List | None:
    both = _two(many[-1], other)
    return (*many, both[1]) if both and both[1] not in many else None


def _days_of(many: _List, month: Parts) -> _List:
    return tuple((*month, *day) for day in many)


def _named(many: _List) -> When | None:
    found = tuple(one for parts in many if (one := named(parts)))
    return Several(found) if len(found) == len(many) else None


def _of(frame: When, many: _List) -> When | None:
    found = tuple(one for parts in many if (one := of(frame, parts)))
    return Several(found) if len(found) == len(many) else None


def _points(one: When, other: When) -> When | None:
    if one == other or not one.size or one.size != other.size:
        return None
    return Several((one, other))


def _and(one: When, other: When) -> When | None:
    if one == other or isinstance(other, Several):
        return None
    return Several((*one.of, other)) if isinstance(one, Several) else Several((one, other))


def _month(month: str) -> Parts:
    return (("month", int(month), int(month)),)


RULES = (
    Rule("two parts", "list", "parts/bit and? parts/bit", lambda one, _, other: _two(one, other)),
    Rule("more parts", "list", "list and? parts/bit", lambda many, _, other: _more(many, other)),
    Rule("two days", "days", "day_of and day_of", lambda one, _, other: _two(one, other)),
    Rule("days of month", "list", "days month", lambda many, month: _days_of(many, _month(month))),
    Rule("month days", "list", "month days", lambda month, many: _days_of(many, _month(month))),
    Rule("listed", "when", "list", _named),
    Rule("listed of", "when", "frame list", _of),
    Rule("of listed", "when", "list frame", lambda many, frame: _of(frame, many)),
    Rule("two points", "points", "point point", _points),
    Rule("and point", "points", "point/points and point", lambda one, _, other: _and(one, other)),
    Rule("more points", "points", "points point",
         lambda many, one: _and(many, one) if many.of[0].size == one.size else None),
    Rule("points", "when", "points", lambda points: points),
)  # fmt: skip
