"""The records of the semantic layer: what can be asked (metrics, dimensions) and a question made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

Operator = Literal["=", "!=", "in", "not in", ">", "<", ">=", "<=", "like"]
Value = str | int | float | bool | date | datetime
Direction = Literal["asc", "desc"]

METRIC_TIME = "metric_time"
GRAINS = ("microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year")


@dataclass(frozen=True)
class Additivity:
    """Over which groups the figures of a metric may be summed to the figure of the whole.

    `additive`: over all. `semi-additive`: over all but the times in `never_over`: a level such as stock on
    hand, a running total. `distinct`: over none, as one thing may be counted in several groups. `none`: over
    none; a mean, an extreme, a ratio.
    """

    kind: Literal["additive", "semi-additive", "distinct", "none"]
    never_over: tuple[str, ...] = ()

    def holds_over(self, items: Iterable[str]) -> bool:
        """Whether summing over these group-by items, such as metric_time__month, gives the whole's figure."""
        return self.kind in ("additive", "semi-additive") and not any(
            item == time or item.startswith(f"{time}__") for item in items for time in self.never_over
        )


@dataclass(frozen=True)
class Metric:
    """A number that can be asked for.

    `kind` is MetricFlow's type (simple, ratio, derived, cumulative, conversion). `zero_without_rows` says
    that nothing there means 0, not unknown. `dimensions` are the qualified names that it may be grouped or
    filtered by. `grains` are its time granularities, finest first, and `min_grain` is the first of them.
    `tables` are the qualified tables it is computed from. `aggregation` is that of a simple metric (sum,
    count, count_distinct, average, ...), `counts` the entity that it is the number of, `counts_some` that of
    which it counts only those that are such (active customers: users), `inputs` are the
    metrics that another is computed from; of a ratio the numerator and the denominator. `runs_on`: the metric
    that it is the total of since the data begins. `only`: the dimensions of which its own filters leave one
    value. `spans_calendar`: by
    a time it has rows for periods without data, those ahead too, as far as the project's calendar goes.
    `sources` are the semantic models it is computed from, each with the time dimension that is its own time.
    `sums_some`: it sums an amount of some rows, and the others count as 0.
    """

    name: str
    label: str
    label_zh: str
    description: str
    domain: str
    unit: str
    kind: str
    additivity: Additivity
    zero_without_rows: bool
    synonyms_en: tuple[str, ...] = ()
    synonyms_zh: tuple[str, ...] = ()
    words_high: tuple[str, ...] = ()
    words_low: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ()
    grains: tuple[str, ...] = GRAINS
    tables: tuple[str, ...] = ()
    aggregation: str = ""
    counts: str = ""
    counts_some: str = ""
    inputs: tuple[str, ...] = ()
    runs_on: str = ""
    only: tuple[tuple[str, str], ...] = ()
    spans_calendar: bool = False
    sources: tuple[tuple[str, str], ...] = ()
    sums_some: bool = False

    @property
    def min_grain(self) -> str:
        return self.grains[0]

    @property
    def has_amounts(self) -> bool:
        """Whether a period has an amount of its own, so that a mean over periods says something: not of a
        rate, nor of what runs on from period to period.
        """
        return self.additivity.kind != "none" and self.kind != "cumulative"


@dataclass(frozen=True)
class Dimension:
    """A thing to group or filter by, such as `order_item__country`.

    `type` is `categorical` or `time`. `table` and `expression` are where its values are kept, `model` is the
    semantic model that says so.
    """

    name: str
    label: str
    label_zh: str
    description: str
    type: str
    table: str
    expression: str
    synonyms_en: tuple[str, ...] = ()
    synonyms_zh: tuple[str, ...] = ()
    value_synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    model: str = ""


@dataclass(frozen=True)
class Entity:
    """A thing that rows are of or belong to, such as `user`.

    `tables` are the qualified tables whose rows name one, `keyed` those in which each has one row, by
    `expression`. `model_labels` are what these tables' semantic models are called.
    """

    name: str
    label: str
    label_zh: str
    synonyms_en: tuple[str, ...] = ()
    synonyms_zh: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    keyed: tuple[str, ...] = ()
    expression: str = ""
    model_labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Filter:
    """One condition on a dimension. `in` and `not in` take several values, the others one."""

    dimension: str
    op: Operator
    values: tuple[Value, ...]


@dataclass(frozen=True)
class MetricQuery:
    """A question in the semantic layer's words.

    `group_by` holds dimension names and time grains written `metric_time__month` or `<time dimension>__day`.
    `time_range` is half-open, UTC, on metric_time. `order_by` names metrics or group-by items.
    Result columns are the group-by items in order, then the metrics in order, by exactly these names.
    """

    metrics: tuple[str, ...]
    group_by: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    time_range: tuple[datetime, datetime] | None = None
    order_by: tuple[tuple[str, Direction], ...] = ()
    limit: int | None = None
