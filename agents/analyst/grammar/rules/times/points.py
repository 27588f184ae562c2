"""Single periods: years, this and last month, days with a name, the last seven days."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agents.analyst.grammar.chart import Rule
from agents.analyst.grammar.festivals import Festival, LastSeason, is_season
from agents.analyst.grammar.rules.times.parts import named, numbered, of, size
from agents.analyst.grammar.spans import Beside, Range, Rolling, Roughly, Shifted, Unclear
from agents.analyst.grammar.when import Around, Latest, Numbered, Parts, Stretch, Unit, When, Year

_TODAY = Unit("day")


def _year(number: Any) -> When | None:
    return Year(number) if isinstance(number, int) and 1970 <= number <= 2100 else None


def _part_of(frame: When, parts: Parts) -> When | None:
    """The 15th is of a month, only the first hundred days are of a year."""
    return of(frame, parts) if parts[0][0] != "day" or frame.size == "month" else None


def _relative(offset: str, unit: str) -> When | None:
    if unit in ("minute", "hour"):
        return Rolling(unit, 1) if offset == "-1" else None
    return Unit(unit, int(offset))


def _ago(count: Any, unit: str) -> When | None:
    return Unit(unit, -count) if isinstance(count, int) and 0 < count < 1000 and size(unit) > 1 else None


def _rolling(count: Any, unit: str, whole: bool = False) -> When | None:
    if not isinstance(count, int) or not 0 < count <= 5000 or (whole and unit in ("minute", "hour")):
        return None
    return Rolling(unit, count, whole)


def _until(count: Any, unit: str, point: When) -> When | None:
    """The 30 days ending 20 November."""
    rolling = _rolling(count, unit)
    return replace(rolling, until=point) if isinstance(rolling, Rolling) else None


def _half_years(count: Any) -> When | None:
    return Rolling("half", 1) if count is None else None


def _ahead(count: Any, unit: str) -> When | None:
    if not isinstance(count, int) or not 0 < count <= 5000 or size(unit) < 2:
        return None
    return Range(Unit("day", 1), Unit(unit, count))


def _short_year(number: Any, _: str, parts: Parts) -> When | None:
    """25年10月."""
    return of(Year(2000 + number), parts) if isinstance(number, int) and 10 <= number < 40 else None


def _third(meaning: str, month: When) -> When | None:
    """Early October."""
    if month.size != "month":
        return Unclear("vague", "") if month.size in ("year", "half", "quarter", "week") else None
    first, last = meaning.split(" ")
    return Roughly(Stretch(month, "day", int(first), int(last)))


def _numbered_of(frame: When, number: Any) -> When | None:
    week = numbered(number)
    return week.within(frame) if isinstance(week, Numbered) and frame.size == "year" else None


def _nth_week(parts: Parts) -> When | None:
    """第二周: of the month or of the year? Over six it can only be of the year."""
    unit, first, last = parts[0]
    if unit != "week" or len(parts) > 1 or first != last or first < 1:
        return None
    return (
        Numbered(first) if first > 6 else Unclear("ambiguous", "", (Latest("month", parts), Numbered(first)))
    )


def _festival(name: str, day: bool = False) -> When:
    return Festival(name, day)


def _festival_of(frame: When, name: str, day: bool = False) -> When | None:
    return Festival(name, day).within(frame) if frame.size == "year" else None


def _festival_days(frame: When | None, name: str, count: Any, unit: str) -> When | None:
    """国庆七天."""
    festival = Festival(name)
    if unit != "day" or count != festival.days or count < 2:
        return None
    return festival if frame is None else _festival_of(frame, name)


def _festival_relative(offset: str, name: str) -> When | None:
    if offset == "-1":
        return LastSeason(name) if is_season(name) else Festival(name)
    return Festival(name).within(Unit("year", int(offset)))


def _beside(count: Any, unit: str, side: str, of: When) -> When | None:
    count = 1 if count is None else count
    if of.size != "day" and not isinstance(of, Festival):
        return None
    return Beside(side, unit, count, of) if isinstance(count, int) and size(unit) > 1 else None


def _same_day(frame: When) -> When | None:
    return Shifted(_TODAY, frame.unit, frame.offset) if isinstance(frame, Unit) else None


def _this_time(frame: When) -> When | None:
    """This time last year: that day, or that month up to that day?"""
    if not isinstance(frame, Unit) or frame.unit not in ("year", "month", "quarter"):
        return None
    so_far = Range(Unit("month"), _TODAY)
    return Unclear("ambiguous", "", tuple(Shifted(one, frame.unit, frame.offset) for one in (_TODAY, so_far)))


def _single_day(point: When) -> When | None:
    return Around("week", point) if point.size == "day" else None


def _week_ending(point: When) -> When | None:
    return Rolling("day", 7, until=point) if point.size == "day" else None


RULES = (
    # What parts can be of.
    Rule("year", "frame", "of_year? number", lambda _, n: _year(n)),
    Rule("year marked", "frame", "number year_mark", lambda n, _: _year(n)),
    Rule("relative year", "frame", "relative_year", lambda offset: Unit("year", int(offset))),
    Rule("relative", "frame", "relative whole? unit/month_mark",
         lambda offset, _, unit: _relative(offset, unit)),
    Rule("before last", "frame", "unit before_last",
         lambda unit, _: Unit(unit, -2) if size(unit) > 1 else None),
    Rule("ago", "frame", "number counter? unit ago", lambda n, _, unit, __: _ago(n, unit)),
    Rule("one ago", "frame", "any unit ago", lambda _, unit, __: _ago(1, unit)),
    Rule("to date", "frame", "to_date", lambda unit: Unit(unit)),
    Rule("frame", "point", "frame", lambda frame: frame),
    Rule("all of", "point", "point all_of", lambda point, _: point),
    Rule("that day", "point", "point that_day", lambda point, _: point if point.size == "day" else None),
    Rule("during", "point", "point during_after", lambda point, _: point),
    Rule("short year", "point", "number year_mark parts", _short_year),
    Rule("whole", "point", "whole point", lambda _, point: point if point.size else None),
    Rule("frame part", "point", "frame parts", _part_of),
    Rule("frame bit", "point", "frame bit", of),
    Rule("part frame", "point", "parts frame", lambda parts, frame: _part_of(frame, parts)),
    Rule("bit frame", "point", "bit frame", lambda parts, frame: of(frame, parts)),
    Rule("part of running", "point", "parts/bit of_unit", lambda parts, unit: of(Unit(unit), parts)),
    Rule("named", "point", "parts", named),
    Rule("relative day", "point", "relative_day", lambda offset: Unit("day", int(offset))),
    Rule("third", "point", "third point", _third),
    Rule("third after", "point", "point third", lambda point, meaning: _third(meaning, point)),
    # Weeks.
    Rule("week number", "point", "week_number number", lambda _, n: numbered(n)),
    Rule("week number of", "point", "week_number number frame", lambda _, n, frame: _numbered_of(frame, n)),
    Rule("of week number", "point", "frame week_number number", lambda frame, _, n: _numbered_of(frame, n)),
    Rule("nth week", "point", "bit", _nth_week),
    Rule("week of", "point", "week_of point", lambda _, point: _single_day(point)),
    Rule("week around", "point", "point week_around", lambda point, _: _single_day(point)),
    Rule("unit around", "point", "point lying_in unit",
         lambda point, _, unit: Around(unit, point) if size(unit) > 2 and point.size == "day" else None),
    Rule("week ending", "point", "week_ending point", lambda _, point: _week_ending(point)),
    # Days with a name.
    Rule("festival", "point", "festival that_day?", lambda name, day: _festival(name, bool(day is not None))),
    Rule("festival days", "point", "frame? festival number unit", _festival_days),
    Rule("festival of", "point", "frame festival that_day?",
         lambda frame, name, day: _festival_of(frame, name, day is not None)),
    Rule("festival in", "point", "festival frame", lambda name, frame: _festival_of(frame, name)),
    Rule("festival relative", "point", "relative festival", _festival_relative),
    Rule("beside", "point", "number? counter? unit before point",
         lambda n, _, unit, __, of: _beside(n, unit, "before", of)),
    Rule("beside after", "point", "number? counter? unit after point",
         lambda n, _, unit, __, of: _beside(n, unit, "after", of)),
    Rule("beside zh", "point", "point before_after number counter? unit",
         lambda of, _, n, __, unit: _beside(n, unit, "before", of)),
    Rule("beside after zh", "point", "point after_after number counter? unit",
         lambda of, _, n, __, unit: _beside(n, unit, "after", of)),
    Rule("same day", "point", "same_day frame", lambda _, frame: _same_day(frame)),
    Rule("same day zh", "point", "frame same_day", lambda frame, _: _same_day(frame)),
    Rule("this time", "point", "this_time frame", lambda _, frame: _this_time(frame)),
    Rule("this time zh", "point", "frame this_time", lambda frame, _: _this_time(frame)),
    # Up to now.
    Rule("rolling", "when", "roll number counter? unit/month_mark", lambda _, n, __, unit: _rolling(n, unit)),
    Rule("rolling whole", "when", "roll number counter? whole unit/month_mark",
         lambda _, n, __, ___, unit: _rolling(n, unit, True)),
    Rule("rolling whole first", "when", "roll whole number counter? unit/month_mark",
         lambda _, __, n, ___, unit: _rolling(n, unit, True)),
    Rule("rolling one", "when", "roll unit", lambda how, unit: Rolling(unit, 1) if how == "past" else None),
    Rule("rolling until", "when", "number unit until_window point",
         lambda n, unit, _, point: _until(n, unit, point)),
    Rule("fortnight", "when", "roll fortnight", lambda _, __: Rolling("day", 14)),
    Rule("rolling half", "when", "roll number? half_year", lambda _, n, __: _half_years(n)),
    Rule("ahead", "when", "ahead number counter? unit", lambda _, n, __, unit: _ahead(n, unit)),
    # Words that do not say which.
    Rule("vague", "when", "vague", lambda _: Unclear("vague", "")),
    Rule("fiscal", "when", "fiscal", lambda _: Unclear("fiscal", "")),
    Rule("fiscal of", "when", "relative/number fiscal", lambda _, __: Unclear("fiscal", "")),
    Rule("fiscal year", "when", "fiscal number/point", lambda _, __: Unclear("fiscal", "")),
    Rule("of fiscal", "when", "point fiscal", lambda _, __: Unclear("fiscal", "")),
    Rule("part of fiscal", "when", "parts/bit fiscal number?", lambda _, __, ___: Unclear("fiscal", "")),
)  # fmt: skip
