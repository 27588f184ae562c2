"""Times: from days, months, offsets and edges to one expression, in both languages' orders."""

from __future__ import annotations

from typing import Any

from agents.analyst.grammar.chart import Rule
from agents.analyst.grammar.when import (
    Edge,
    Latest,
    Range,
    Rolling,
    Stretch,
    ToDate,
    Unit,
    When,
    Year,
)

# A part of a larger time, from large to small: (("month", 10, 10), ("day", 1, 10)) are days 1-10 of October.
Part = tuple[tuple[str, int, int | None], ...]
_SIZES = {"minute": 0, "hour": 1, "day": 2, "week": 3, "month": 4, "quarter": 5, "half": 6, "year": 7}
_OF = {"day": "month", "month": "year", "quarter": "year", "half": "year"}
_MOST = {"day": 31, "week": 6, "month": 12, "quarter": 4, "half": 2}


def _year(number: Any) -> When | None:
    return Year(number) if isinstance(number, int) and 1970 <= number <= 2100 else None


def _part(unit: str, first: Any, last: Any = None) -> Part | None:
    last = first if last is None else last
    most = _MOST.get(unit)
    if most is None or not isinstance(first, int) or not isinstance(last, int):
        return None
    return ((unit, first, last),) if 0 < first <= last <= most else None


def _written(meaning: str) -> Part:
    """A part as the lexicon writes it: `quarter 1`, `day 1 10`, `day 21 ` up to the end."""
    unit, first, *rest = meaning.split(" ")
    last = int(first) if not rest else int(rest[0]) if rest[0] else None
    return ((unit, int(first), last),)


def _first(unit: str, count: Any) -> Part | None:
    return _part(unit, 1, count)


def _last(unit: str, count: Any) -> Part | None:
    return ((unit, -count, -1),) if isinstance(count, int) and 0 < count <= _MOST.get(unit, 0) else None


def _ordinal(ordinal: str, unit: str) -> Part | None:
    number = int(ordinal)
    return ((unit, number, number),) if unit in _MOST else None


def _ordinals(ordinal: str, count: Any, unit: str) -> Part | None:
    first_or_last = {"1": _first, "-1": _last}.get(ordinal)
    return first_or_last(unit, count) if first_or_last else None


def _joined(one: Part, other: Part) -> Part | None:
    """November's first ten days, in either order."""
    large, small = sorted((one, other), key=lambda part: -_SIZES[part[0][0]])
    return (*large, *small) if _SIZES[large[-1][0]] > _SIZES[small[0][0]] and _single(large) else None


def _single(part: Part) -> bool:
    return all(first == last for _, first, last in part)


def _of(frame: When, part: Part) -> When | None:
    unit = getattr(frame, "unit", "year")
    if _SIZES[part[0][0]] >= _SIZES[unit]:
        return None
    found = frame
    for name, first, last in part:
        found = Stretch(found, name, first, last)
    return found


def _named(part: Part) -> When | None:
    """What is said without its year: only what is counted in a year or month, and from its beginning."""
    unit, first, last = part[0]
    if unit not in _OF or first < 0 or (len(part) == 1 and unit == "day" and last is None):
        return None
    return Latest(_OF[unit], part)


def _relative(offset: str, unit: str) -> When | None:
    if unit in ("minute", "hour"):
        return Rolling(unit, 1) if offset == "-1" else None
    return Unit(unit, int(offset))


def _rolling(count: Any, unit: str, whole: bool = False) -> When | None:
    if not isinstance(count, int) or not 0 < count <= 5000:
        return None
    return Rolling(unit, count, whole)


def _past(how: str, unit: str) -> When | None:
    return Rolling(unit, 1) if how == "past" else None


def _to_date(frame: When) -> When | None:
    return ToDate(frame.unit) if isinstance(frame, Unit) and frame.offset == 0 else None


def _up_to(first: When, last: Part) -> When | None:
    """10月1日到7日: what is not said again is the same."""
    if isinstance(first, Latest) and len(first.parts) > len(last) and first.parts[-1][0] == last[0][0]:
        unit, begin, _ = first.parts[-1]
        end = last[-1][2]
        return Latest(first.unit, (*first.parts[:-1], (unit, begin, end))) if end and begin < end else None
    if isinstance(first, Stretch) and len(last) == 1 and first.unit == last[0][0]:
        end = last[0][2]
        return Stretch(first.of, first.unit, first.first, end) if end and first.first < end else None
    return None


def _ago(count: Any, unit: str) -> When | None:
    return Unit(unit, -count) if isinstance(count, int) and 0 < count < 1000 and _SIZES[unit] > 1 else None


def _between(how: str, first: When, to: str, last: When) -> When:
    return Range(first, last)


def _span(first: When, to: str, last: When) -> When | None:
    return None if to == "and" else Range(first, last)


RULES = (
    # A year, a month, a week as a frame that parts can be of.
    Rule("year", "frame", "number", _year),
    Rule("year marked", "frame", "number year_mark", lambda n, _: _year(n)),
    Rule("relative year", "frame", "relative_year", lambda offset: Unit("year", int(offset))),
    Rule("relative", "frame", "relative unit", _relative),
    Rule("ago", "frame", "number unit ago", lambda n, unit, _: _ago(n, unit)),
    Rule("ago counted", "frame", "number counter unit ago", lambda n, _, unit, __: _ago(n, unit)),
    Rule("frame", "when", "frame", lambda frame: frame),
    Rule("relative day", "when", "relative_day", lambda offset: Unit("day", int(offset))),
    # Parts.
    Rule("part", "parts", "part", _written),
    Rule("month name", "parts", "month", lambda month: _part("month", int(month))),
    Rule("month number", "parts", "number month_mark", lambda n, _: _part("month", n)),
    Rule("quarter number", "parts", "number quarter_mark", lambda n, _: _part("quarter", n)),
    Rule("day number", "parts", "number day_mark", lambda n, _: _part("day", n)),
    Rule("nth", "parts", "ordinal_mark number unit", lambda _, n, unit: _part(unit, n)),
    Rule("nth counted", "parts", "ordinal_mark number counter unit", lambda _, n, __, u: _part(u, n)),
    Rule("ordinal", "parts", "ordinal unit", _ordinal),
    Rule("ordinals", "parts", "ordinal number unit", _ordinals),
    Rule("head", "parts", "head number unit", lambda _, n, unit: _first(unit, n)),
    Rule("head counted", "parts", "head number counter unit", lambda _, n, __, u: _first(u, n)),
    Rule("tail", "parts", "tail number unit", lambda _, n, unit: _last(unit, n)),
    Rule("tail counted", "parts", "tail number counter unit", lambda _, n, __, u: _last(u, n)),
    Rule("day", "day_of", "number", lambda n: _part("day", n)),
    Rule("day suffixed", "day_of", "number suffix", lambda n, _: _part("day", n)),
    Rule("days", "day_of", "number to number", lambda a, to, b: _part("day", a, b) if to != "and" else None),
    Rule("month day", "parts", "month day_of", lambda m, day: _joined(((("month", int(m), int(m))),), day)),
    Rule("day month", "parts", "day_of month", lambda day, m: _joined(((("month", int(m), int(m))),), day)),
    Rule("part of part", "parts", "parts parts", _joined),
    Rule("frame part", "when", "frame parts", _of),
    Rule("part frame", "when", "parts frame", lambda part, frame: _of(frame, part)),
    Rule("named", "when", "parts", _named),
    # Up to now.
    Rule("rolling", "when", "roll number unit", lambda _, n, unit: _rolling(n, unit)),
    Rule("rolling counted", "when", "roll number counter unit", lambda _, n, __, u: _rolling(n, u)),
    Rule("rolling whole", "when", "roll number whole unit", lambda _, n, __, u: _rolling(n, u, True)),
    Rule("rolling whole zh", "when", "roll number counter whole unit",
         lambda _, n, __, ___, unit: _rolling(n, unit, True)),
    Rule("rolling whole first", "when", "roll whole number unit", lambda _, __, n, u: _rolling(n, u, True)),
    Rule("rolling one", "when", "roll unit", _past),
    Rule("to date", "when", "to_date", lambda unit: ToDate(unit)),
    Rule("frame so far", "when", "frame so_far", lambda frame, _: _to_date(frame)),
    Rule("so far frame", "when", "so_far frame", lambda _, frame: _to_date(frame)),
    # Ranges and edges.
    Rule("from to", "when", "from when to when", _between),
    Rule("to", "when", "when to when", _span),
    Rule("up to part", "when", "when to parts", lambda a, to, b: _up_to(a, b) if to != "and" else None),
    Rule("from up to part", "when", "from when to parts", lambda _, first, to, part: _up_to(first, part)),
    Rule("since", "when", "since when", lambda _, when: Range(when, None)),
    Rule("since after", "when", "when since_after", lambda when, _: Range(when, None)),
    Rule("since both", "when", "since when since_after", lambda _, when, __: Range(when, None)),
    Rule("until", "when", "until when", lambda _, when: Range(None, when)),
    Rule("until after", "when", "until when until_after", lambda _, when, __: Range(None, when)),
    Rule("before", "when", "before when", lambda _, when: Edge("before", when)),
    Rule("before after", "when", "when before_after", lambda when, _: Edge("before", when)),
    Rule("after", "when", "after when", lambda _, when: Edge("after", when)),
    Rule("after after", "when", "when after_after", lambda when, _: Edge("after", when)),
)  # fmt: skip
