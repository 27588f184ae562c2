"""Weekdays and hours: as days (last Friday), as filters (on Saturdays, 0点到6点), as groups (星期几)."""

from __future__ import annotations

from typing import Any

from agents.analyst.grammar.chart import Rule
from agents.analyst.grammar.fragment import Fragment
from agents.analyst.grammar.spans import Hours, Rolling
from agents.analyst.grammar.when import Around, Stretch, Unit, Weekdays, WeekdaysOf, When
from agents.analyst.intent import AtPart, Every, PartOf

# An hour of the day, and whether it is said which half of the day it is in.
_GRAINS = ("minute", "hour", "day", "week", "month", "quarter", "year")
_Clock = tuple[int, bool]


def _weekdays(values: tuple[int, ...]) -> AtPart:
    return AtPart(part="weekday", values=tuple(sorted(set(values))))


def _numbers(meaning: str) -> tuple[int, ...]:
    return tuple(int(one) for one in meaning.split(" "))


def _to(first: str, last: str) -> tuple[int, ...]:
    begin, end = int(first), int(last)
    return tuple((begin - 1 + n) % 7 + 1 for n in range((end - begin) % 7 + 1))


def _span(offset: str, first: str, last: str) -> When:
    return WeekdaysOf(Unit("week", int(offset)), int(first), int(last))


def _in_week(frame: When, first: str, last: str | None = None) -> When | None:
    return WeekdaysOf(frame, int(first), int(last or first)) if frame.size == "week" else None


def _clock(number: Any, half: str | None = None) -> _Clock | None:
    if not isinstance(number, int) or not 0 <= number <= 24 or (half and not 1 <= number <= 12):
        return None
    return (number % 12 + (12 if half == "pm" else 0), True) if half else (number, number > 12)


def _clock_in(part: str, number: Any) -> _Clock | None:
    """下午3点, 晚上12点."""
    if not isinstance(number, int) or not 0 <= number <= 24:
        return None
    start, end = _numbers(part)
    for hour in (number, number + 12):
        if start <= hour <= end or (start > end and (hour >= start or hour <= end)):
            return hour, True
    return None


def _hours(first: _Clock, last: _Clock) -> AtPart | None:
    (begin, said), (end, said_too) = first, last
    if not said_too and said and begin >= 12 and begin < end + 12 <= 24:
        end += 12
    if begin == end or begin == 24:
        return None
    return _at(range(begin, end if end > begin else end + 24))


def _at(hours: range) -> AtPart:
    return AtPart(part="hour_of_day", values=tuple(sorted({hour % 24 for hour in hours})))


def _office(first: Any, last: Any) -> AtPart | None:
    """Between 9 and 5: no two numbers but hours run so."""
    if (
        not isinstance(first, int)
        or not isinstance(last, int)
        or not 5 <= first <= 12
        or not 1 <= last < first
    ):
        return None
    return _at(range(first, last + 12))


def _from_to(first: Any, last: Any, half: str | None = None) -> AtPart | None:
    begin, end = _clock(first, half), _clock(last, half)
    if not begin or not end or (half and begin[0] >= end[0]):
        return None
    return _hours(begin, end)


def _hours_to(first: Any, last: _Clock) -> AtPart | None:
    """From 8 to 10 in the evening, from 9 to 5pm."""
    begin = _clock(first)
    if not begin:
        return None
    later = begin[0] + 12
    return _hours((later, True) if later < last[0] and last[0] - begin[0] > 12 else begin, last)


def _at_part(part: Any, value: Any) -> AtPart | None:
    most = {"day_of_month": 31, "month_of_year": 12}[part]
    return AtPart(part=part, values=(value,)) if isinstance(value, int) and 0 < value <= most else None


def _nth_day(unit: str, first: int, last: int) -> AtPart | None:
    return _at_part("day_of_month", first) if unit == "day" and first == last else None


def _part(meaning: str) -> AtPart:
    start, end = _numbers(meaning)
    return _at(range(start, end if end > start else end + 24))


def _half(clock: Any, half: str) -> _Clock | None:
    return _clock(clock, half)


def _edge(side: str, clock: _Clock) -> AtPart | None:
    hours = range(clock[0]) if side == "before" else range(clock[0], 24)
    return _at(hours) if hours else None


def _parted(meaning: str) -> When:
    day, start, end = _numbers(meaning)
    return Hours(Unit("day", day), start, end)


def _each_of(when: When) -> Fragment | None:
    """In each of the last three full months."""
    if isinstance(when, Rolling) or (isinstance(when, Stretch) and when.first != when.last):
        grain: Any = when.unit
        return Fragment(times=(when,), each=(Every(grain=grain),)) if grain in _GRAINS else None
    return None


def _both(one: AtPart, other: AtPart) -> AtPart | None:
    """工作日（周一到周五）."""
    return one if one == other else None


RULES = (
    # Days.
    Rule("weekday", "point", "weekday", lambda day: Weekdays(int(day), int(day))),
    Rule("latest weekday", "point", "latest_weekday weekday",
         lambda _, day: Weekdays(int(day), int(day), True)),
    Rule("this weekday", "point", "this_weekday weekday", lambda _, day: _span("0", day, day)),
    Rule("next weekday", "point", "next_weekday weekday", lambda _, day: _span("1", day, day)),
    Rule("weekday of week", "point", "week_relative weekday", lambda offset, day: _span(offset, day, day)),
    Rule("weekday in week", "point", "weekday frame", lambda day, frame: _in_week(frame, day)),
    Rule("in week weekday", "point", "frame weekday", _in_week),
    Rule("weekdays of week", "point", "week_relative weekday to weekday/day_of_week",
         lambda offset, first, _, last: _span(offset, first, last)),
    Rule("weekdays in week", "point", "weekday to weekday frame",
         lambda a, _, b, frame: _in_week(frame, a, b)),
    Rule("in week weekdays", "point", "frame weekday to weekday",
         lambda frame, a, _, b: _in_week(frame, a, b)),
    Rule("weekend of week", "point", "relative weekend", lambda offset, _: _span(offset, "6", "7")),
    Rule("weekend of", "point", "weekend point",
         lambda _, day: WeekdaysOf(Around("week", day), 6, 7) if day.size == "day" else None),
    Rule("day part", "point", "day_parted", _parted),
    # Filters.
    Rule("weekdays", "weekdays_said", "weekdays", _numbers),
    Rule("weekend", "weekdays_said", "any? weekend", lambda _, __: (6, 7)),
    Rule("any weekday", "weekdays_said", "any weekday/weekdays", lambda _, day: _numbers(day)),
    Rule("weekdays to", "weekdays_said", "any? weekday/weekdays to weekday/weekdays/day_of_week",
         lambda _, a, __, b: _to(a, b) if len(a) == len(b) == 1 else None),
    Rule("weekday or", "weekdays_said", "any? weekday and/or? any? weekday",
         lambda _, a, __, ___, b: (int(a), int(b))),
    Rule("weekdays and", "weekdays_said", "weekdays_said and/or? weekday/weekdays",
         lambda many, _, one: (*many, *_numbers(one))),
    Rule("on weekdays", "part_condition", "weekdays_said", _weekdays),
    Rule("same twice", "part_condition", "part_condition part_condition", _both),
    Rule("every year", "part_condition", "every_unit month",
         lambda part, month: _at_part(part, int(month)) if part == "month_of_year" else None),
    Rule("every month or year", "part_condition", "every_unit number month_mark/day_mark",
         lambda part, n, mark: _at_part(part, n) if (mark == "month") == (part == "month_of_year") else None),
    Rule("day of each month", "part_condition", "number suffix of_each_month",
         lambda n, _, __: _at_part("day_of_month", n)),
    Rule("nth of each month", "part_condition", "bit of_each_month",
         lambda bit, _: _nth_day(*bit[0]) if len(bit) == 1 else None),
    Rule("clock", "clock", "number hour_mark", lambda n, _: _clock(n)),
    Rule("clock written", "clock", "clock_time", lambda hour: (hour, True)),
    Rule("clock half", "clock", "number am_pm", _half),
    Rule("clock word", "clock", "clock_word", lambda hour: (int(hour), True)),
    Rule("clock in part", "clock", "day_part number hour_mark", lambda part, n, _: _clock_in(part, n)),
    Rule("hours", "hours", "from? clock to clock", lambda _, a, __, b: _hours(a, b)),
    Rule("hours between", "hours", "between clock and/to clock", lambda _, a, __, b: _hours(a, b)),
    Rule("hours of half", "hours", "from? number to number am_pm",
         lambda _, a, __, b, half: _from_to(a, b, half)),
    Rule("hours between half", "hours", "between number and number am_pm",
         lambda _, a, __, b, half: _from_to(a, b, half)),
    Rule("hours plain", "hours", "from? number to number hour_mark",
         lambda _, a, __, b, ___: _from_to(a, b)),
    Rule("office hours", "hours", "from number to number", lambda _, a, __, b: _office(a, b)),
    Rule("office hours between", "hours", "between number and number", lambda _, a, __, b: _office(a, b)),
    Rule("hours before", "hours", "before clock", lambda _, clock: _edge("before", clock)),
    Rule("hours before zh", "hours", "clock before_after", lambda clock, _: _edge("before", clock)),
    Rule("hours after", "hours", "after clock", lambda _, clock: _edge("after", clock)),
    Rule("hours after zh", "hours", "clock after_after/since_after", lambda clock, _: _edge("after", clock)),
    Rule("hour", "hours", "clock",
         lambda clock: _at(range(clock[0], clock[0] + 1)) if clock[0] < 24 else None),
    Rule("clock part", "clock", "number day_part", lambda n, part: _clock_in(part, n)),
    Rule("hours to", "hours", "from? number to clock", lambda _, a, __, b: _hours_to(a, b)),
    Rule("hours between to", "hours", "between number and clock", lambda _, a, __, b: _hours_to(a, b)),
    Rule("part of day", "hours", "day_part", _part),
    Rule("hours between zh", "hours", "between? hours between_after", lambda _, hours, __: hours),
    Rule("at hours", "part_condition", "hours", lambda hours: hours),
    Rule("at part", "condition", "part_condition", lambda condition: condition),
    # Groups.
    Rule("part of", "groups", "part_of", lambda part: (PartOf(part=part),)),
    Rule("which part", "fragment", "which_part", lambda part: Fragment(groups=(PartOf(part=part),))),
    Rule("by which part", "fragment", "by which_part", lambda _, part: Fragment(groups=(PartOf(part=part),))),
    Rule("each of them", "fragment", "each when", lambda _, when: _each_of(when)),
    Rule("all time", "fragment", "all_time", lambda _: Fragment()),
    Rule("which grain", "fragment", "which_grain", lambda grain: Fragment(groups=(Every(grain=grain),))),
)  # fmt: skip
