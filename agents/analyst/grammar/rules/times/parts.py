"""Parts of years, quarters, months and weeks: October, Q3, the first ten days, the last Friday."""

from __future__ import annotations

from typing import Any

from agents.analyst.grammar.chart import Rule
from agents.analyst.grammar.when import SIZES, Latest, Numbered, NumberedOf, Parts, When

_OF = {"day": "month", "half_month": "month", "month": "year", "quarter": "year", "half": "year"}
_MOST = {"day": 366, "week": 53, "half_month": 2, "month": 12, "quarter": 4, "half": 2}
_NAMED_MOST = {"day": 31, "week": 6, "month": 12, "quarter": 4, "half": 2}


def part(unit: str, first: Any, last: Any = None) -> Parts | None:
    last = first if last is None else last
    most = _NAMED_MOST.get(unit)
    if most is None or not isinstance(first, int) or not isinstance(last, int):
        return None
    return ((unit, first, last),) if 0 < first <= last <= most else None


def written(meaning: str) -> Parts:
    """A part as the lexicon writes it: `quarter 1`, `day 1 10`, `day 21 -1` up to the end."""
    unit, first, *rest = meaning.split(" ")
    return ((unit, int(first), int(rest[0] if rest else first)),)


def size(unit: str) -> int:
    return SIZES.index(unit.partition(" ")[0].replace("weekday", "day"))


def joined(one: Parts, other: Parts) -> Parts | None:
    """November's first ten days, in either order."""
    one, other = _halved(other[-1][0], one), _halved(one[-1][0], other)
    large, small = sorted((one, other), key=lambda part: -size(part[0][0]))
    if size(large[-1][0]) <= size(small[0][0]) or not _single(large):
        return None
    return (*large, *small)


def of(frame: When, parts: Parts) -> When | None:
    """The parts of this frame."""
    if not frame.size or frame.size in ("minute", "hour"):
        return None
    parts = _halved(frame.size, parts)
    if size(parts[0][0]) >= size(frame.size):
        return None
    unit, first, last = parts[0]
    if unit == "week" and frame.size == "year":
        return NumberedOf(frame, first) if first == last and first > 0 and len(parts) == 1 else None
    return Latest("", parts).within(frame)


def named(parts: Parts) -> When | None:
    """What is said without its year or month: only what is counted in one, and from its beginning."""
    unit, first, _ = parts[0]
    return Latest(_OF[unit], parts) if unit in _OF and first > 0 else None


def _halved(unit: str, parts: Parts) -> Parts:
    """The second half of October is of days, of a year of months."""
    first = parts[0]
    return (("half_month", *first[1:]), *parts[1:]) if first[0] == "half" and unit == "month" else parts


def _single(parts: Parts) -> bool:
    return all(first == last for _, first, last in parts)


def _head(count: Any, unit: str) -> Parts | None:
    return ((unit, 1, count),) if isinstance(count, int) and 0 < count <= _MOST.get(unit, 0) else None


def _tail(count: Any, unit: str) -> Parts | None:
    return ((unit, -count, -1),) if isinstance(count, int) and 0 < count <= _MOST.get(unit, 0) else None


def _ordinal(ordinal: str, unit: str) -> Parts | None:
    number = int(ordinal)
    if number > 0 and unit in ("quarter", "half"):
        return None  # They stand alone.
    return ((unit, number, number),) if abs(number) <= _MOST.get(unit, 0) else None


def _stands(ordinal: str, unit: str) -> Parts | None:
    """The third quarter, the first half: of a year, without saying so."""
    return part(unit, int(ordinal)) if unit in ("quarter", "half") else None


def _ordinals(ordinal: str, count: Any, unit: str) -> Parts | None:
    return _head(count, unit) if ordinal == "1" else _tail(count, unit) if ordinal == "-1" else None


def _nth(number: Any, unit: str) -> Parts | None:
    return ((unit, number, number),) if isinstance(number, int) and 0 < number <= _MOST.get(unit, 0) else None


def _week(number: Any, unit: str) -> When | None:
    return numbered(number) if unit == "week" else None


def numbered(number: Any) -> When | None:
    return Numbered(number) if isinstance(number, int) and 0 < number <= 53 else None


def _weekday(number: Any, day: str) -> Parts | None:
    return ((f"weekday {day}", number, number),) if isinstance(number, int) and -5 <= number <= 5 else None


def _neighbours(one: Any, other: Any) -> Parts | None:
    """七八月."""
    return part("month", one, other) if isinstance(one, int) and other == one + 1 and one < 10 else None


def _month_day(month: str, day: Parts) -> Parts | None:
    return joined((("month", int(month), int(month)),), day)


RULES = (
    Rule("part", "parts", "part", written),
    Rule("month name", "parts", "month", lambda month: part("month", int(month))),
    Rule("month of", "parts", "month_of month", lambda _, month: part("month", int(month))),
    Rule("month number", "parts", "number month_mark", lambda n, _: part("month", n)),
    Rule("month numbers", "parts", "number to number month_mark", lambda a, _, b, __: part("month", a, b)),
    Rule("months side by side", "parts", "number number month_mark", lambda a, b, _: _neighbours(a, b)),
    Rule("quarter number", "parts", "ordinal_mark? number quarter_mark",
         lambda _, n, __: part("quarter", n)),
    Rule("quarter numbers", "parts", "number to number quarter_mark",
         lambda a, _, b, __: part("quarter", a, b)),
    Rule("day number", "parts", "number day_mark", lambda n, _: part("day", n)),
    Rule("day numbers", "parts", "number day_mark? to number day_mark",
         lambda a, _, __, b, ___: part("day", a, b)),
    Rule("ordinal part", "parts", "ordinal unit", _stands),
    # What is of something.
    Rule("nth", "bit", "ordinal_mark number counter? unit", lambda _, n, __, unit: _nth(n, unit)),
    Rule("nth weekday", "bit", "ordinal_mark number counter? weekday",
         lambda _, n, __, day: _weekday(n, day)),
    Rule("last weekday", "bit", "tail number counter? weekday", lambda _, n, __, day: _weekday(-n, day)),
    Rule("ordinal", "bit", "ordinal unit", _ordinal),
    Rule("ordinal weekday", "bit", "ordinal weekday", lambda ordinal, day: _weekday(int(ordinal), day)),
    Rule("ordinals", "bit", "ordinal number unit", _ordinals),
    Rule("head", "bit", "head number counter? unit", lambda _, n, __, unit: _head(n, unit)),
    Rule("tail", "bit", "tail number counter? unit", lambda _, n, __, unit: _tail(n, unit)),
    # Days of a month, in English.
    Rule("day", "day_of", "number", lambda n: part("day", n)),
    Rule("day suffixed", "day_of", "number suffix", lambda n, _: part("day", n)),
    Rule("day ordinal", "day_of", "ordinal", lambda n: part("day", int(n))),
    Rule("days", "day_of", "number suffix? to number suffix?", lambda a, _, __, b, ___: part("day", a, b)),
    Rule("days between", "day_of", "between number suffix? and number suffix?",
         lambda _, a, __, ___, b, ____: part("day", a, b)),
    Rule("days from", "day_of", "from number suffix? to number suffix?",
         lambda _, a, __, ___, b, ____: part("day", a, b)),
    Rule("month day", "parts", "month day_of", _month_day),
    Rule("day month", "parts", "day_of month", lambda day, month: _month_day(month, day)),
    Rule("nth day", "parts", "number suffix", lambda n, _: part("day", n)),
    # Parts of parts.
    Rule("part of part", "parts", "parts parts", joined),
    Rule("part bit", "parts", "parts bit", joined),
    Rule("bit part", "parts", "bit parts", joined),
    Rule("bit bit", "bit", "bit bit", joined),
)  # fmt: skip
