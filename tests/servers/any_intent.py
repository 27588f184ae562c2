"""Intents of any shape over a semantic layer, for tests that must hold for every question."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta  # type: ignore[import-untyped]

from agents.analyst.intent import (
    AllOf,
    AnyOf,
    AtPart,
    By,
    Change,
    Compares,
    CountOf,
    Difference,
    Every,
    Intent,
    Is,
    Mean,
    MetricOf,
    Missing,
    Not,
    Order,
    PartOf,
    Period,
    Periods,
    QuantileOf,
    Ratio,
    Running,
    Share,
    Slice,
    Threshold,
)

_GRAINS = ("minute", "hour", "day", "week", "month", "quarter", "year")
_PARTS = {"hour_of_day": (0, 23), "weekday": (1, 7), "day_of_month": (1, 31), "month_of_year": (1, 12)}
_OPS = ("<", "<=", "=", "!=", ">=", ">")
_FIRST = datetime(2024, 1, 1, tzinfo=UTC)


class Intents:
    """Drawn at random, the same for the same seed, of what the metrics of a question have in common.
    `depth` is how far measures and conditions are nested, `values` some values of each dimension.
    """

    def __init__(self, vocabulary: Any, values: Mapping[str, Sequence[Any]], seed: int) -> None:
        self._random = random.Random(seed)
        self._vocabulary = vocabulary
        self._known = values

    def draw(self, depth: int) -> Intent:
        semantic = self._vocabulary.semantic
        self._metrics = self._random.sample(sorted(semantic.metrics), 2)
        common = "|".join(semantic.common_dimensions(self._metrics))
        if not common:
            return self.draw(depth)
        # One column may have several names; which one it is called by depends on the metrics.
        first, second = self._metrics
        called = [
            {
                one.name
                for one in self._vocabulary.resolve("|".join(semantic.common_dimensions(metrics)), metrics)
            }
            for metrics in ([first], [second], self._metrics)
        ]
        self._dimensions = sorted(set.intersection(*called))
        self._times = [name for name in self._dimensions if semantic.dimensions[name].type == "time"]
        self._entities = [
            name
            for name in sorted(semantic.entities)
            if any(not one.fans_out for one in self._vocabulary.resolve(name, self._metrics))
        ]
        self._values = {name: self._known[name] for name in self._dimensions if name in self._known}
        measures = tuple(dict.fromkeys(self.measure(depth) for _ in range(self._few(3))))
        groups = tuple(dict.fromkeys(self.group() for _ in range(self._few(4) - 1)))
        order = self._order(measures, groups) if self._chance(0.4) else None
        window = self.period() if self._chance(0.7) else None
        return Intent(
            measures=measures,
            groups=groups,
            where=self.condition(depth) if self._chance(0.5) else None,
            window=window,
            against=self.period() if window and self._chance(0.2) else None,
            having=tuple(self.threshold(depth - 1) for _ in range(self._few(3) - 1)),
            order=order,
            limit=self._random.randint(1, 200) if self._chance(0.4) else None,
            partition=tuple(self._random.sample(groups, 1)) if groups and self._chance(0.2) else (),
        )

    def measure(self, depth: int) -> Any:
        plain = MetricOf(name=self._one(self._metrics))
        if depth < 1 or self._chance(0.25):
            return plain
        of, other = self.measure(depth - 1), self.measure(depth - 1)
        made = (
            lambda: self._count(depth),
            lambda: QuantileOf(of=of, q=self._one((0.5, 0.9, 0.25, 0.999)), per=self._per()),
            lambda: QuantileOf(of=of),
            lambda: Slice(of=of, where=self.condition(depth - 1)),
            lambda: Slice(of=of, window=self.period()),
            lambda: Slice(of=of, where=self.condition(depth - 1), window=self.period()),
            lambda: Ratio(numerator=of, denominator=other),
            lambda: Difference(left=of, right=other),
            lambda: Share(of=of),
            lambda: Share(of=of, within=tuple(dict.fromkeys(self.group() for _ in range(self._few(2))))),
            lambda: Share(of=of, of_which=self.condition(depth - 1)),
            lambda: Share(of=of, of_which=self.condition(depth - 1), within=(self.group(),)),
            lambda: Mean(of=of, per=self._per()),
            lambda: Change(of=of, form=self._one(("rate", "difference")), back=self._one(("period", "year"))),
            lambda: Running(of=of, since=self._one((None, "month", "year"))),
        )
        return self._one(made)()

    def condition(self, depth: int) -> Any:
        dimension = self._one(self._dimensions)
        if depth > 0 and self._chance(0.4):
            of = tuple(self.condition(depth - 1) for _ in range(1 + self._few(2)))
            made = self._flat(self._one((AllOf, AnyOf)), of)
            return Not(of=made) if self._chance(0.3) else made
        simple = (
            self._is,
            self._is,
            self._is,
            lambda: Not(of=self._is()),
            lambda: Compares(dimension=dimension, op=self._one(_OPS), value=self._one((3, -2, 0.5, 12000))),
            lambda: Compares(dimension=self._one(self._times or [dimension]), op=self._one(_OPS),
                             value=self._one((date(2026, 9, 3), datetime(2026, 9, 3, 14, 5, tzinfo=UTC)))),
            lambda: Missing(dimension=dimension),
            lambda: Not(of=Missing(dimension=dimension)),
            self._at,
            lambda: Not(of=self._at()),
            lambda: Not(of=Compares(dimension=dimension, op="<", value=7)),
        )  # fmt: skip
        return self._one(simple)()

    def group(self) -> Any:
        made = (
            lambda: By(dimension=self._one(self._dimensions)),
            lambda: By(dimension=self._one(self._dimensions)),
            lambda: By(dimension=self._one(self._entities or self._dimensions)),
            lambda: By(dimension=self._one(self._times or self._dimensions), grain=self._one(_GRAINS)),
            lambda: Every(grain=self._one(_GRAINS)),
            lambda: PartOf(part=self._one(tuple(_PARTS))),
            lambda: Periods(periods=tuple(self._closed() for _ in range(1 + self._few(2)))),
        )
        return self._one(made)()

    def period(self) -> Period:
        one = self._closed()
        return self._one((one, one, one, one, Period(start=one.start), Period(end=one.end)))

    def threshold(self, depth: int) -> Threshold:
        value = self._one((5, 0, 1000, 12500, 0.1, 0.125, -0.3, 99.99))
        return Threshold(measure=self.measure(depth), op=self._one(_OPS), value=value)

    def _is(self) -> Any:
        if not self._values:
            return Missing(dimension=self._one(self._dimensions))
        dimension = self._one(sorted(self._values))
        known = self._values[dimension]
        return Is(
            dimension=dimension, values=tuple(self._random.sample(known, min(self._few(3), len(known))))
        )

    def _at(self) -> AtPart:
        part = self._one(tuple(_PARTS))
        first, last = _PARTS[part]
        values = self._random.sample(range(first, last + 1), self._few(5))
        return AtPart(part=part, values=tuple(sorted(values)))

    def _count(self, depth: int) -> CountOf:
        among = self._one(("", self._one(self._metrics)))
        having = tuple(self.threshold(depth - 1) for _ in range(self._few(3) - 1))
        return CountOf(of=self._one(self._entities or self._dimensions), among=among, having=having)

    def _closed(self) -> Period:
        start = _FIRST + timedelta(days=self._random.randrange(1000))
        month = start.replace(day=1)
        months = [month + relativedelta(months=count) for count in range(15)]
        made = (
            lambda: (month, months[1]),
            lambda: (month, months[self._few(14)]),
            lambda: (month.replace(month=1), month.replace(year=month.year + 1, month=1)),
            lambda: (start, start + timedelta(days=1)),
            lambda: (start, start + timedelta(days=self._few(400))),
            lambda: (start + timedelta(hours=7), start + timedelta(hours=7 + self._few(40), minutes=30)),
            lambda: (start, start + timedelta(minutes=self._few(1440), seconds=self._one((0, 15)))),
        )
        first, last = self._one(made)()
        return Period(start=first, end=last)

    def _order(self, measures: tuple[Any, ...], groups: tuple[Any, ...]) -> Order:
        direction = self._one(("asc", "desc"))
        if groups and self._chance(0.2):
            return Order(by=self._one(groups), direction=direction)
        part = self._one(("value", "value", "before", "change", "absolute_change", "change_rate"))
        return Order(by=self._one(measures), part=part, direction=direction)

    def _per(self) -> Any:
        return self._one(
            (Every(grain=self._one(_GRAINS)), By(dimension=self._one(self._entities or self._dimensions)))
        )

    def _flat(self, kind: Any, of: tuple[Any, ...]) -> Any:
        """Without conditions of its own kind directly in it, as rules and people make them."""
        return kind(
            of=tuple(Missing(dimension=self._dimensions[0]) if isinstance(one, kind) else one for one in of)
        )

    def _few(self, most: int) -> int:
        return self._random.randint(1, most)

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _one(self, of: Any) -> Any:
        return self._random.choice(list(of))


@dataclass(frozen=True)
class Project:
    """A project's words, and questions that could be put to it."""

    words: Any
    values: Mapping[str, Sequence[str]]

    def intents(self, count: int, depth: int, seed: int) -> Iterator[Intent]:
        drawn = Intents(self.words, self.values, seed)
        return (drawn.draw(depth) for _ in range(count))
