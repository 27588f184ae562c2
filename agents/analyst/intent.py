"""What a question means: one frozen record that rules write, a model fills, a follow-up is merged into, an
answer prints and SQL is made of.

A measure is an expression, so that a share, a comparison of two slices or a mean per day is composed, not
flagged. Periods are half-open [start, end), UTC. Names are the semantic layer's.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Grain = Literal["minute", "hour", "day", "week", "month", "quarter", "year"]
Part = Literal["hour_of_day", "weekday", "day_of_month", "month_of_year"]
Comparison = Literal["<", "<=", "=", "!=", ">=", ">"]
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*(?:Z|[+-]\d\d:\d\d)")


def _moment(value: object) -> object:
    """A moment that was written as text is that moment again, so that an intent read back is the same."""
    return datetime.fromisoformat(value) if isinstance(value, str) and _MOMENT.fullmatch(value) else value


Value = str | bool | int | float | date | datetime


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Period(_Frozen):
    """A stretch of time; either end may be open."""

    start: AwareDatetime | None = Field(default=None, description="inclusive: 2026-10-01T00:00:00Z")
    end: AwareDatetime | None = Field(
        default=None, description="exclusive: October ends 2026-11-01T00:00:00Z"
    )

    @model_validator(mode="after")
    def _ordered(self) -> Period:
        if self.start is None and self.end is None:
            raise ValueError("a period needs an end; all the data is no period at all")
        if self.start and self.end and self.start >= self.end:
            raise ValueError(f"the period from {self.start} to {self.end} is empty")
        return self


# What rows must be like.


class Is(_Frozen):
    """The dimension has one of these values."""

    kind: Literal["is"] = "is"
    dimension: str = Field(description="full name, such as user__country")
    values: tuple[Value, ...] = Field(min_length=1, description="exactly as lookup_values gives them")


class Compares(_Frozen):
    """The dimension, a number or a date, compared with one value."""

    kind: Literal["compares"] = "compares"
    dimension: str
    op: Comparison
    value: Annotated[Value, BeforeValidator(_moment)]


class Missing(_Frozen):
    """The dimension has no value."""

    kind: Literal["missing"] = "missing"
    dimension: str


class AtPart(_Frozen):
    """The metrics' own time lies in these hours of the day (0-23), weekdays (1-7 from Monday), days of the
    month or months of the year.
    """

    kind: Literal["at"] = "at"
    part: Part
    values: tuple[int, ...] = Field(min_length=1)


class Not(_Frozen):
    kind: Literal["not"] = "not"
    of: Condition


class AllOf(_Frozen):
    kind: Literal["all"] = "all"
    of: tuple[Condition, ...] = Field(min_length=2)


class AnyOf(_Frozen):
    kind: Literal["any"] = "any"
    of: tuple[Condition, ...] = Field(min_length=2)


Condition = Annotated[Is | Compares | Missing | AtPart | Not | AllOf | AnyOf, Field(discriminator="kind")]


# What an answer has a row for.


class By(_Frozen):
    """Each value of a dimension; of a time dimension each period of `grain`."""

    kind: Literal["by"] = "by"
    dimension: str
    grain: Grain | None = None


class Every(_Frozen):
    """Each period of the metrics' own time."""

    kind: Literal["every"] = "every"
    grain: Grain


class PartOf(_Frozen):
    """Each weekday, hour of the day, ... of the metrics' own time, all weeks or days taken together."""

    kind: Literal["part"] = "part"
    part: Part


class Periods(_Frozen):
    """Each of these periods, as named: `1 August and 15 September`."""

    kind: Literal["periods"] = "periods"
    periods: tuple[Period, ...] = Field(min_length=2)


Group = Annotated[By | Every | PartOf | Periods, Field(discriminator="kind")]


# What is measured.


class MetricOf(_Frozen):
    """A metric of the semantic layer."""

    kind: Literal["metric"] = "metric"
    name: str


class CountOf(_Frozen):
    """How many different values of an entity or a dimension there are among the rows that `among`, a metric,
    is computed from; empty: among those of the thing's own model. `having`: of those only whose own figures
    compare so (customers with at least five orders).
    """

    kind: Literal["count"] = "count"
    of: str = Field(description="an entity, such as user, or a dimension's full name")
    among: str = Field(default="", description="a metric, such as orders: of those who ordered")
    having: tuple[Threshold, ...] = ()


class QuantileOf(_Frozen):
    """A quantile, 0.5 is the median: of the figures that a measure has in each period or for each value of
    `per`, or, without it, of the single values that a metric sums or averages.
    """

    kind: Literal["quantile"] = "quantile"
    of: Measure
    q: float = Field(default=0.5, gt=0, lt=1)
    per: Every | By | None = None


class Slice(_Frozen):
    """A measure of only some rows."""

    kind: Literal["slice"] = "slice"
    of: Measure
    where: Condition | None = None
    window: Period | None = None


class Ratio(_Frozen):
    kind: Literal["ratio"] = "ratio"
    numerator: Measure
    denominator: Measure


class Difference(_Frozen):
    kind: Literal["difference"] = "difference"
    left: Measure
    right: Measure


class Share(_Frozen):
    """The part that a group's figure is of the figure of all groups; with `of_which` the part that these rows
    have. `within`: of all groups that are alike in these.
    """

    kind: Literal["share"] = "share"
    of: Measure
    of_which: Condition | None = None
    within: tuple[Group, ...] = ()


class Mean(_Frozen):
    """The average of a measure's figures: over the periods of a grain, or over the values of an entity or
    dimension.
    """

    kind: Literal["mean"] = "mean"
    of: Measure
    per: Every | By


class Change(_Frozen):
    """Along a series, from the period before."""

    kind: Literal["change"] = "change"
    of: Measure
    form: Literal["difference", "rate"] = "rate"
    back: Literal["period", "year"] = "period"


class Running(_Frozen):
    """Along a series, the total so far; it begins anew with each period of `since`, if any."""

    kind: Literal["running"] = "running"
    of: Measure
    since: Grain | None = None


Measure = Annotated[
    MetricOf | CountOf | QuantileOf | Slice | Ratio | Difference | Share | Mean | Change | Running,
    Field(discriminator="kind"),
]


class Threshold(_Frozen):
    """Only rows whose figure compares so; it need not be among the figures shown."""

    measure: Measure
    op: Comparison
    value: float


class Order(_Frozen):
    """By a measure's figure (of two compared periods by the `part` of it), or by a group's values."""

    by: Measure | Group
    part: Literal["value", "before", "change", "absolute_change", "change_rate"] = "value"
    direction: Literal["asc", "desc"] = "desc"


class Intent(_Frozen):
    """A question's meaning. `against`: the earlier period that each figure is compared with. `limit`: only
    the first rows in `order`, of each combination of the groups in `partition`.
    """

    measures: tuple[Measure, ...] = Field(
        min_length=1, max_length=6, description="the figures, each a column"
    )
    groups: tuple[Group, ...] = Field(
        default=(), description="what there is a row for each of; none: one row"
    )
    where: Condition | None = Field(default=None, description="which rows of the data count, not which time")
    window: Period | None = Field(default=None, description="the time; none: all the data")
    against: Period | None = None
    having: tuple[Threshold, ...] = Field(default=(), description="bounds on figures: over 1000 orders")
    order: Order | None = None
    limit: int | None = Field(default=None, gt=0, description="top 5 is 5; none: all rows")
    partition: tuple[Group, ...] = Field(
        default=(), description="some of the groups: top 3 brands in each country has country here, limit 3"
    )

    @property
    def ordering(self) -> Order | None:
        """What the rows are ordered by: `order`; without one the first of some, and things that are no times,
        by the first measure, the highest first.
        """
        things = self.groups and all(isinstance(one, By) and one.grain is None for one in self.groups)
        if self.order is None and (self.limit is not None or things):
            return Order(by=self.measures[0])
        return self.order
