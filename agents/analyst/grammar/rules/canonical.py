"""The canonical sentence of an intent: its constructions, kept in canonical.yml, and rules that read them.

What is printed from these constructions is read back as exactly the same intent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ValidationError

from agents.analyst import intent as records
from agents.analyst.grammar.chart import FILLER, Rule
from agents.analyst.grammar.text import fold, units
from agents.analyst.grammar.when import Calendar
from agents.analyst.grammar.words import Lexicon

Language = Literal["en", "zh"]
_TABLE = yaml.safe_load(Path(__file__).with_suffix(".yml").read_text(encoding="utf-8"))
# What the lattice has of a project and of numbers; all other categories are this file's own.
_GIVEN = {
    "metric": "metric",
    "dimension": "dimension",
    "entity": "entity",
    "number": "number",
    "text": "value",
}
# Said in the plural, where the language has one.
_PLURALS = {"things": "thing"}
# Bare numbers are years and days in either language, but not in the order of the other.
_TIMES = ("span", "open", "during", "date", "moment", "spans")
_KINDS: dict[str, type[BaseModel]] = {
    "metric": records.MetricOf,
    "count": records.CountOf,
    "quantile": records.QuantileOf,
    "slice": records.Slice,
    "ratio": records.Ratio,
    "difference": records.Difference,
    "share": records.Share,
    "mean": records.Mean,
    "change": records.Change,
    "running": records.Running,
    "is": records.Is,
    "compares": records.Compares,
    "missing": records.Missing,
    "at": records.AtPart,
    "all": records.AllOf,
    "any": records.AnyOf,
    "not": records.Not,
    "every": records.Every,
    "by": records.By,
    "part": records.PartOf,
    "periods": records.Periods,
    "threshold": records.Threshold,
    "order": records.Order,
    "order_group": records.Order,
}
_CALENDAR = Calendar(datetime(1970, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Slot:
    """A part that a construction is made of: the field that it fills, and what it must be."""

    field: str
    category: str


@dataclass(frozen=True)
class Construction:
    """One way to say one kind of thing, in each language."""

    makes: str
    kind: str
    fixed: Mapping[str, Any]
    said: Mapping[str, tuple[Slot | str, ...]]

    @property
    def fields(self) -> frozenset[str]:
        """The fields that its parts fill."""
        return frozenset(part.field for part in self.said["en"] if isinstance(part, Slot))


@dataclass(frozen=True)
class Listing:
    """Several of a category, with a word between them."""

    of: str
    between: Mapping[str, str]


@dataclass(frozen=True)
class Text:
    """A value as it was said, and the dimensions, `a|b`, that have such a one."""

    dimensions: str
    said: str


def _parts(template: str) -> tuple[Slot | str, ...]:
    """Slots and words; what stands on both sides of 的 is two, as the lattice passes over it."""
    found = re.findall(r"\{(\w+):(\w+)\}|((?:(?!的)[^{])*的?)", template)
    return tuple(Slot(field, part) if part else text for field, part, text in found if part or text)


CONSTRUCTIONS = tuple(
    Construction(
        makes,
        entry["kind"],
        entry.get("fixed", {}),
        {language: _parts(entry[language]) for language in ("en", "zh")},
    )
    for makes, entries in _TABLE.items()
    if isinstance(entries, list)
    for entry in entries
)
LISTS = {
    name: Listing(entry["of"], {"en": entry["en"], "zh": entry["zh"]})
    for name, entry in _TABLE["lists"].items()
}
WORDS: Mapping[str, Mapping[str, Mapping[Any, str]]] = _TABLE["words"]


def category(name: str, language: str = "") -> str:
    if name in _TIMES:
        name = f"{name}:{language}"
    return _GIVEN.get(name) or f"canonical:{_PLURALS.get(name, name)}"


CLAUSE = category("clause")


def _bare(text: str) -> str:
    """Without 的 and an article, which may be left out."""
    return text.strip().removesuffix("的").removeprefix("the ")


def _literal(text: str) -> str:
    """The category of a construction's own words; empty for punctuation and 的, which say nothing."""
    words = [unit.text for unit in units(fold(_bare(text))) if unit.text not in ",;"]
    return f"canonical:'{'_'.join(words)}'" if words else ""


@cache
def words() -> Lexicon:
    """The constructions' own words."""
    lexicon = Lexicon()
    texts = [
        part for one in CONSTRUCTIONS for said in one.said.values() for part in said if isinstance(part, str)
    ]
    texts += [text for listing in LISTS.values() for text in listing.between.values()]
    for text in dict.fromkeys(texts):
        if _literal(text):
            lexicon.add(_bare(text), _literal(text), "")
    for name, languages in WORDS.items():
        for said in languages.values():
            for meaning, word in said.items():
                lexicon.add(word, name if name == FILLER else category(name), meaning)
    return lexicon


# From the meanings of a construction's parts to its own: None where they do not go together.


def _span(start: datetime, unit: str, last: datetime | None = None) -> records.Period:
    return records.Period(start=start, end=_CALENDAR.step(last or start, unit))


def _day(year: int, month: int, day: int) -> datetime:
    if year < 1000:
        raise ValueError(f"{year} is no year that people ask about")
    return datetime(year, month, day, tzinfo=UTC)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _days(
    day: int = 0,
    month: int = 0,
    year: int = 0,
    last: int = 0,
    last_month: int = 0,
    first_day: date | None = None,
    last_day: date | None = None,
) -> records.Period:
    start = _midnight(first_day) if first_day else _day(year, month, day)
    end = _midnight(last_day) if last_day else _day(year, last_month or month, last)
    return _span(start, "day", end)


def _months(month: int, year: int, last_month: int, last_year: int = 0) -> records.Period:
    return _span(_day(year, month, 1), "month", _day(last_year or year, last_month, 1))


def _moment(day: date, hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=UTC)


def _percent(number: float, sign: int) -> float:
    return float(Decimal(str(number)) / 100) * sign


def _range(first: int, last: int) -> tuple[int, ...] | None:
    return tuple(range(first, last + 1)) if last - first > 1 else None


def _narrowed(dimension: str, values: Iterable[Any]) -> str | None:
    """The dimensions among these that have all the values that are texts."""
    left = dimension.split("|")
    for value in values:
        if isinstance(value, Text):
            left = [name for name in left if name in value.dimensions.split("|")]
    return "|".join(left) or None


def _plain(value: Any) -> Any:
    return value.said if isinstance(value, Text) else value


def _is(dimension: str, values: tuple[Any, ...]) -> records.Is | None:
    named = _narrowed(dimension, values)
    return records.Is(dimension=named, values=tuple(map(_plain, values))) if named else None


def _compares(dimension: str, op: Any, value: Any) -> records.Compares | None:
    named = _narrowed(dimension, (value,))
    return records.Compares(dimension=named, op=op, value=_plain(value)) if named else None


def _all(of: tuple[Any, ...]) -> records.AllOf | None:
    return None if any(isinstance(one, records.AllOf) for one in of) else records.AllOf(of=of)


def _any(of: tuple[Any, ...]) -> records.AnyOf | None:
    return None if any(isinstance(one, records.AnyOf) for one in of) else records.AnyOf(of=of)


def _not_one(of: Any) -> records.Not | None:
    return records.Not(of=of) if isinstance(of, records.Compares) else None


def _not_all(of: tuple[Any, ...]) -> records.Not | None:
    return records.Not(of=inner) if (inner := _all(of)) else None


def _not_any(of: tuple[Any, ...]) -> records.Not | None:
    return records.Not(of=inner) if (inner := _any(of)) else None


_BUILDERS: dict[str, Callable[..., Any]] = {
    "same": lambda of: of,
    "text": lambda of: Text(*of),
    "span": lambda of: of,
    "open": lambda of: of,
    "number": lambda number, sign: number * sign,
    "percent": _percent,
    "range": _range,
    "is": _is,
    "compares": _compares,
    "all": _all,
    "any": _any,
    "not_compares": _not_one,
    "not_all": _not_all,
    "not_any": _not_any,
    "not_is": lambda dimension, values: (of := _is(dimension, values)) and records.Not(of=of),
    "not_missing": lambda dimension: records.Not(of=records.Missing(dimension=dimension)),
    "not_at": lambda part, values: records.Not(of=records.AtPart(part=part, values=values)),
    "year": lambda year: _span(_day(year, 1, 1), "year"),
    "quarter": lambda quarter, year: _span(_day(year, quarter * 3 - 2, 1), "quarter"),
    "month": lambda month, year: _span(_day(year, month, 1), "month"),
    "day": lambda day: _span(_midnight(day), "day"),
    "days": _days,
    "months": _months,
    "moments": lambda start, end: records.Period(start=start, end=end),
    "since_day": lambda day: records.Period(start=_midnight(day)),
    "since": lambda start: records.Period(start=start),
    "until_day": lambda day: records.Period(end=_midnight(day) + timedelta(days=1)),
    "before": lambda end: records.Period(end=end),
    "date": lambda day, month, year: _day(year, month, day).date(),
    "moment": _moment,
    "against_open": lambda against: ("against", against),
    "limit_one": lambda: ("limit", 1),
    "where_all": lambda where: ("where", _all(where)),
}  # fmt: skip


def _built(construction: Construction, fields: Mapping[str, Any]) -> Any:
    """A construction's meaning, or None where there is no such thing: 31 November."""
    kind = construction.kind
    try:
        if construction.makes == "clause" and kind not in _BUILDERS:
            return (kind, fields[kind])
        return (_BUILDERS.get(kind) or _KINDS[kind])(**construction.fixed, **fields)
    except (ValidationError, ValueError, TypeError, OverflowError):
        return None


def _rules() -> Iterator[Rule]:
    seen: set[tuple[str, str, str]] = set()
    for number, one in enumerate(CONSTRUCTIONS):
        for language, said in one.said.items():
            parts = [part for part in said if isinstance(part, Slot) or _literal(part)]
            of = " ".join(
                category(part.category, language) if isinstance(part, Slot) else _literal(part)
                for part in parts
            )
            fields = tuple(part.field if isinstance(part, Slot) else "" for part in parts)
            makes = category(one.makes, language)
            if (makes, one.kind, of) not in seen:
                yield Rule(
                    f"canonical {one.makes} {one.kind} {number} {language}", makes, of, _builder(one, fields)
                )
            seen.add((makes, one.kind, of))
    for name, listing in LISTS.items():
        for language, between in listing.between.items():
            item, whole = category(listing.of, language), category(name, language)
            if language == "en" or name in _TIMES:
                yield Rule(f"canonical one of {name} {language}", whole, item, lambda one: (one,))
            of = f"{whole} {_literal(between)} {item}"
            yield Rule(f"canonical {name} {language}", whole, of, lambda some, _, one: (*some, one))


def _builder(construction: Construction, fields: tuple[str, ...]) -> Callable[..., Any]:
    return lambda *given: _built(
        construction, {name: value for name, value in zip(fields, given, strict=True) if name}
    )


RULES = tuple(_rules())


@dataclass(frozen=True)
class Clauses:
    """The parts of a canonical sentence: fields of an intent, each at most once."""

    said: tuple[tuple[str, Hashable], ...] = field(default=())

    def and_(self, other: Clauses) -> Clauses | None:
        both = {**dict(self.said), **dict(other.said)}
        if len(both) < len(self.said) + len(other.said):
            return None
        return Clauses(tuple(sorted(both.items(), key=lambda item: item[0])))

    def intent(self) -> records.Intent | None:
        try:
            return records.Intent(**dict(self.said))  # type: ignore[arg-type]
        except ValidationError:
            return None
