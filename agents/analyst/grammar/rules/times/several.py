"""Several named periods: January, April and July; 上周跟上上周; the 1st and the 15th of October."""

from __future__ import annotations

from dataclasses import replace

from agents.analyst.grammar.chart import Rule
from agents.analyst.grammar.festivals import FestivalOf
from agents.analyst.grammar.fragment import Fragment
from agents.analyst.grammar.rules.times.parts import named, of, part
from agents.analyst.grammar.spans import Several
from agents.analyst.grammar.when import (
    Latest,
    NumberedOf,
    Parts,
    Recurring,
    Stretch,
    Unit,
    Weekdays,
    WeekdaysOf,
    When,
)

_DATED = (Stretch, FestivalOf, NumberedOf, WeekdaysOf)
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
    return _and(one, other) if one.size and type(one) is type(other) else None


def _and(one: When, other: When) -> When | None:
    many = one.of if isinstance(one, Several) else (one,)
    if other in many or any(first.size != other.size or _shared(first, other) for first in many):
        return None
    if isinstance(other, Weekdays) and not other.past:
        return None  # Mondays and Fridays.
    return Several((*many, other))


def _shared(one: When, other: When) -> bool:
    """March and June 2025: the year is of both, which a list of parts says."""
    if isinstance(one, Recurring) and isinstance(other, Recurring):
        return one.of_unit != other.of_unit
    return isinstance(one, Recurring) != isinstance(other, Recurring) and (
        isinstance(one, _DATED) or isinstance(other, _DATED)
    )


def _sibling(one: When, ordinal: str) -> When | None:
    """The second half of October against the first."""
    number = int(ordinal)
    if isinstance(one, Latest):
        return replace(one, parts=(*one.parts[:-1], (one.parts[-1][0], number, number)))
    return replace(one, first=number, last=number) if isinstance(one, Stretch) else None


def _last(one: When) -> When | None:
    """More this month than last."""
    return Unit(one.unit, -1) if isinstance(one, Unit) and one.offset == 0 else None


def _against(one: When, other: When | None) -> Fragment | None:
    return Fragment(times=(one, other), compared=True) if other and other != one else None


def _month(month: str) -> Parts:
    return (("month", int(month), int(month)),)


def _month_of_list(number: object) -> _List | None:
    found = part("month", number)
    return (found,) if found else None


def _months(number: object, months: _List) -> _List | None:
    """7、8、9月."""
    later = months[0][0][1]
    return ((("month", number, number),), *months) if isinstance(number, int) and 0 < number < later else None


RULES = (
    Rule("month of list", "months", "number month_mark", lambda n, _: _month_of_list(n)),
    Rule("months", "months", "number and months", lambda n, _, months: _months(n, months)),
    Rule("months listed", "list", "months", lambda months: months if len(months) > 1 else None),
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
    # One against another that leaves out what they share.
    Rule("against the other", "fragment", "point versus ordinal",
         lambda one, _, n: _against(one, _sibling(one, n))),
    Rule("against last", "fragment", "point than_last", lambda one, _: _against(one, _last(one))),
    Rule("with", "fragment", "and point versus",
         lambda _, point, __: Fragment(times=(point,), compared=True)),
    Rule("points", "when", "points", lambda points: points),
)  # fmt: skip
