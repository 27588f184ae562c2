"""The canonical sentence of an intent, in English or Chinese: printed in each answer, and read back as the
same intent.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from agents.analyst.grammar.rules.canonical import CONSTRUCTIONS, LISTS, WORDS, Construction, Slot
from agents.analyst.intent import (
    AllOf,
    By,
    Compares,
    Condition,
    Every,
    Intent,
    Not,
    Order,
    PartOf,
    Period,
    Periods,
    Threshold,
)
from agents.analyst.saying.names import Names, capital, inside, noun, plural
from agents.analyst.sql.meaning import Meanings

_ORDER = {
    "en": ("measures", "groups", "where", "window", "against", "having", "order", "limit", "partition"),
    "zh": ("window", "where", "groups", "measures", "against", "having", "order", "partition", "limit"),
}
# In English what says which rows flows on, what is done with them is set off by a comma.
_FLOWING = ("groups", "where", "window")
# The highest the share of.
_TWICE = re.compile(r"\b(highest|lowest|each) the ")
_PLAIN = re.compile(r"[A-Z0-9\u4e00-\u9fff][\w&'’.+-]*(?: [A-Z0-9&][\w&'’.+-]*)*")


def sentence(intent: Intent, names: Names, language: str) -> str:
    """What an intent asks for, in words that `read` reads back as it."""
    said = Phrasing(names, language)
    text = ""
    for field in _ORDER[language]:
        value = getattr(intent, field)
        if value not in (None, ()):
            clause = said.clause(field, value)
            text += said.gap(field, text, clause) + clause
    return capital(_TWICE.sub(r"\1 ", text))


@dataclass(frozen=True)
class _Percent:
    """A number that is said in percent."""

    number: float


@dataclass(frozen=True)
class Phrasing:
    """An intent's parts in words, by the constructions of canonical.yml."""

    names: Names
    language: str

    def gap(self, field: str, before: str, after: str) -> str:
        if not before:
            return ""
        if self.language == "zh":
            # A comma between two digits is part of a number.
            return "；" if before[-1].isdigit() and after[0].isdigit() else "，"
        return " " if field in _FLOWING else ", "

    def clause(self, field: str, value: Any) -> str:
        if field == "where" and isinstance(value, AllOf):
            return self.constructed("clause", "where_all", {"where": value.of})
        if field == "limit" and value == 1:
            return self.constructed("clause", "limit_one", {})
        if field == "against" and not _closed(value):
            return self.constructed("clause", "against_open", {"against": value})
        return self.constructed("clause", field, {field: value})

    def span(self, period: Period) -> str:
        """A period: October 2026, 1 to 21 November 2026, since 5 September 2026."""
        return self.say("span" if _closed(period) else "open", period)

    def condition(self, condition: Condition) -> str:
        return self.say("condition", condition)

    def thresholds(self, thresholds: tuple[Threshold, ...]) -> str:
        return self.say("thresholds", thresholds)

    def unit(self, grain: str) -> str:
        return self.say("unit", grain)

    def say(self, category: str, value: Any) -> str:
        if own := _OWN.get(category):
            return own(self, value)
        if category in LISTS and (run := _run(category, value)):
            return self.constructed(category, "range", run)
        if category in LISTS:
            listing = LISTS[category]
            between = listing.between[self.language]
            joint = f" {between} " if self.language == "en" else between
            return joint.join(self.say(listing.of, one) for one in value)
        if category in WORDS:
            return WORDS[category][self.language][value]
        kind, fields = _TAKEN[category](value) if category in _TAKEN else _taken(value)
        return self.constructed(category, kind, fields, self._preposition(category, fields))

    def constructed(self, makes: str, kind: str, fields: Mapping[str, Any], begins: str = "") -> str:
        """By the first construction that says all that there is to say."""
        for one in CONSTRUCTIONS:
            if one.makes == makes and one.kind == kind and _fits(one, fields) and self._begins(one, begins):
                return "".join(
                    self.say(part.category, fields[part.field]) if isinstance(part, Slot) else part
                    for part in one.said[self.language]
                )
        raise LookupError(f"canonical.yml has no construction for {makes} {kind} of {sorted(fields)}")

    def _begins(self, construction: Construction, begins: str) -> bool:
        return construction.said[self.language][0] == begins if begins else True

    def _preposition(self, category: str, fields: Mapping[str, Any]) -> str:
        """In a month, on a day, from a day to another."""
        if category != "during" or self.language != "en":
            return ""
        if not _closed(fields["of"]):
            return ""
        kind, _ = _span(fields["of"])
        return {"day": "on ", "days": "from ", "months": "from ", "moments": "from "}.get(kind, "in ")


def _fits(construction: Construction, fields: Mapping[str, Any]) -> bool:
    if any(fields.get(name) != value for name, value in construction.fixed.items()):
        return False
    said = {name for name, value in fields.items() if value not in (None, (), "")}
    return construction.fields <= said <= construction.fields | construction.fixed.keys()


# What a value is made of: the kind of construction, and the meanings of its parts.
Taken = tuple[str, dict[str, Any]]


def _taken(node: BaseModel) -> Taken:
    fields = dict(node)
    kind = fields.pop("kind", "") or type(node).__name__.lower()
    return kind, fields


def _condition(node: Any) -> Taken:
    """What is not has constructions of its own."""
    if not isinstance(node, Not):
        return _taken(node)
    if isinstance(node.of, Not):
        return _condition(node.of.of)
    kind, fields = _taken(node.of)
    return f"not_{kind}", {"of": node.of} if isinstance(node.of, Compares) else fields


def _order(node: Order) -> Taken:
    kind, fields = _taken(node)
    return f"{kind}_group" if isinstance(node.by, By | Every | PartOf | Periods) else kind, fields


def _closed(period: Period) -> bool:
    return period.start is not None and period.end is not None


def _during(period: Period) -> Taken:
    return "span" if _closed(period) else "open", {"of": period}


def _span(period: Period) -> Taken:
    start, end = period.start, period.end
    if start is None or end is None:
        raise LookupError(f"{period} has an open end")
    if not (_is_midnight(start) and _is_midnight(end)):
        return "moments", {"start": start, "end": end}
    last = end - timedelta(days=1)
    if start.day == end.day == 1:
        months = (end.year - start.year) * 12 + end.month - start.month
        if months == 12 and start.month == 1:
            return "year", {"year": start.year}
        if months == 3 and start.month % 3 == 1:
            return "quarter", {"quarter": start.month // 3 + 1, "year": start.year}
        if months == 1:
            return "month", {"month": start.month, "year": start.year}
        named = {"month": start.month, "year": start.year, "last_month": last.month}
        return "months", named if start.year == last.year else {**named, "last_year": last.year}
    if start == last:
        return "day", {"day": start.date()}
    if start.year != last.year:
        return "days", {"first_day": start.date(), "last_day": last.date()}
    named = {"day": start.day, "month": start.month, "last": last.day, "year": start.year}
    return "days", named if start.month == last.month else {**named, "last_month": last.month}


def _open(period: Period) -> Taken:
    if period.start is not None:
        return ("since_day", {"day": period.start.date()}) if _is_midnight(period.start) else (
            "since", {"start": period.start})  # fmt: skip
    assert period.end is not None
    if _is_midnight(period.end):
        return "until_day", {"day": (period.end - timedelta(days=1)).date()}
    return "before", {"end": period.end}


def _is_midnight(moment: datetime) -> bool:
    return moment.hour == moment.minute == moment.second == moment.microsecond == 0


def _date(day: date) -> Taken:
    return "date", {"day": day.day, "month": day.month, "year": day.year}


def _moment(moment: datetime) -> Taken:
    fields = {"day": moment.date(), "hour": _Clock(moment.hour), "minute": _Clock(moment.minute)}
    return "moment", {**fields, "second": _Clock(moment.second)} if moment.second else fields


class _Clock(int):
    """An hour, a minute or a second: two digits."""


def _amount(value: Any) -> Taken:
    number = value.number if isinstance(value, _Percent) else value
    sign = -1 if number < 0 else 1
    if isinstance(value, _Percent):
        return "percent", {"number": abs(Decimal(repr(float(number))) * 100), "sign": sign}
    return "number", {"number": abs(Decimal(repr(number))), "sign": sign}


def _percentile(q: float) -> Taken:
    return _amount(_Percent(q))


_TAKEN: dict[str, Callable[[Any], Taken]] = {
    "condition": _condition,
    "order": _order,
    "during": _during,
    "span": _span,
    "open": _open,
    "date": _date,
    "moment": _moment,
    "amount": _amount,
    "percentile": _percentile,
}


def _run(category: str, values: tuple[int, ...]) -> dict[str, int]:
    """The ends of values that follow each other, where there are three or more."""
    if category not in ("counts", "weekdays") or len(values) < 3:
        return {}
    first, last = values[0], values[-1]
    return {"first": first, "last": last} if values == tuple(range(first, last + 1)) else {}


# What is said by its name or as it is written.


def _label(saying: Phrasing, name: str) -> str:
    return inside(saying.names.phrase(name, saying.language))


def _thing(saying: Phrasing, name: str) -> str:
    return noun(name, saying.names, saying.language)


def _things(saying: Phrasing, name: str) -> str:
    """In the plural, where the language has one."""
    return plural(_thing(saying, name)) if saying.language == "en" else _thing(saying, name)


def _number(saying: Phrasing, value: float | Decimal) -> str:
    if isinstance(value, _Clock):
        return f"{int(value):02}"
    if isinstance(value, Decimal):
        return f"{value.normalize():,f}"
    return f"{value}"


def _text(saying: Phrasing, value: str) -> str:
    """A value, in quotes where it could be taken for words of the sentence."""
    return value if _PLAIN.fullmatch(value) else f"“{value}”"


def _value(saying: Phrasing, value: Any) -> str:
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "truth"),
        (str, "text"),
        ((int, float), "amount"),
        (datetime, "moment"),
        (date, "date"),
    )
    category = next(category for kind, category in kinds if isinstance(value, kind))
    return saying.say(category, value)


def _month(saying: Phrasing, value: int) -> str:
    return calendar.month_name[value]


def _threshold(saying: Phrasing, threshold: Threshold) -> str:
    """The value in percent where the measure is a ratio."""
    kind, fields = _taken(threshold)
    if Meanings(saying.names.semantic).unit(threshold.measure) == "ratio":
        fields["value"] = _Percent(threshold.value)
    return saying.constructed("threshold", kind, fields)


_OWN: dict[str, Callable[[Phrasing, Any], str]] = {
    "metric": _label,
    "thing": _thing,
    "things": _things,
    "number": _number,
    "text": _text,
    "value": _value,
    "month": _month,
    "threshold": _threshold,
}
