"""Parts of a question's meaning, put together in any order, and the intents that they come to.

Where a word may name one of several things (`country` of the user or of the warehouse), its candidates stay
together as `a|b` until the metrics are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from agents.analyst.grammar.when import Calendar, Shifted, When, alike, so_far
from agents.analyst.intent import (
    AllOf,
    By,
    Condition,
    Group,
    Intent,
    Is,
    Measure,
    MetricOf,
    Not,
    Order,
    Period,
    Share,
)

Wrap = Literal["share", "change", "mean", "running"]


@dataclass(frozen=True)
class Rank:
    """From which end, how many; `by` a measure that is named for it."""

    direction: Literal["asc", "desc"]
    limit: int | None = None
    by: Measure | None = None


@dataclass(frozen=True)
class Fragment:
    """What a phrase says, or several have said so far. `against`: of what unit the earlier period is."""

    measures: tuple[Measure, ...] = ()
    groups: tuple[Group, ...] = ()
    where: tuple[Condition, ...] = ()
    times: tuple[When, ...] = ()
    against: str = ""
    compared: bool = False
    wraps: tuple[str, ...] = ()
    rank: Rank | None = None
    partition: tuple[Group, ...] = ()


EMPTY = Fragment()


def merge(one: Fragment, other: Fragment) -> Fragment | None:
    """Both together, or None where they say two things of what can be one only."""
    for name in ("rank", "against", "partition"):
        if getattr(one, name) and getattr(other, name):
            return None
    if any(item in one.groups for item in other.groups) or set(one.measures) & set(other.measures):
        return None
    if any(item in one.wraps for item in other.wraps) or len(one.times) + len(other.times) > 2:
        return None
    return Fragment(
        one.measures + other.measures,
        one.groups + other.groups,
        one.where + other.where,
        one.times + other.times,
        one.against or other.against,
        one.compared or other.compared,
        one.wraps + other.wraps,
        one.rank or other.rank,
        one.partition or other.partition,
    )


@dataclass(frozen=True)
class Completed:
    """An intent that a fragment comes to, and what had to be filled in or chosen for it."""

    intent: Intent
    features: tuple[str, ...] = ()


class Refused(Exception):
    """Raised for what cannot be put into the project's terms; `key` names the reason."""

    def __init__(self, key: str, *values: str) -> None:
        super().__init__(key, *values)
        self.key, self.values = key, values


def complete(said: Fragment, project: Any, calendar: Calendar) -> list[Completed]:
    """The intents that a fragment of the whole question may be; several where a name fits several things."""
    metrics = [measure.name for measure in said.measures if isinstance(measure, MetricOf)]
    if not metrics:
        raise Refused("no_metric")
    names = _Names(project, metrics)
    groups = tuple(names.group(group) for group in said.groups)
    partition = tuple(names.group(group) for group in said.partition)
    where = [names.condition(condition) for condition in said.where]
    window, against = _times(said, calendar)
    measures = said.measures
    for wrap in said.wraps:
        if wrap == "share":
            measures = tuple(Share(of=measure) for measure in measures)
    groups = tuple(dict.fromkeys((*partition, *groups)))
    for condition in where:
        # Germany and France are two things to show.
        if isinstance(condition, Is) and len(condition.values) > 1:
            group = By(dimension=condition.dimension)
            groups = groups if group in groups else (group, *groups)
    rank = said.rank
    if rank and not groups:
        raise Refused("rank_what")
    order = Order(by=measures[0], direction=rank.direction) if rank else None
    limit = rank.limit if rank else None
    intent = Intent(
        measures=measures,
        groups=groups,
        where=where[0] if len(where) == 1 else AllOf(of=tuple(where)) if where else None,
        window=window,
        against=against,
        order=order,
        limit=limit,
        partition=partition,
    )
    return [Completed(intent, tuple(names.features))]


def _times(said: Fragment, calendar: Calendar) -> tuple[Period | None, Period | None]:
    found = [period for when in said.times if (period := when.at(calendar))]
    if len(found) < len(said.times):
        raise Refused("no_such_time")
    for period in found:
        if period.start and period.start > calendar.now:
            raise Refused("future")
    if len(found) == 2:
        if not said.compared:
            raise Refused("periods")
        earlier, later = sorted(found, key=lambda one: (one.start is not None, one.start))
        return so_far(later, calendar), alike(earlier, later, calendar)
    window = found[0] if found else None
    if said.compared and said.against:
        if window is None:
            raise Refused("periods")
        unit, count = ("year", -1) if said.against == "year_ago" else (_unit(said.times[0]), -1)
        before = Shifted(said.times[0], unit, count).at(calendar)
        assert before is not None
        return so_far(window, calendar), alike(before, window, calendar)
    return (so_far(window, calendar) if window else None), None


def _unit(when: When) -> str:
    return getattr(when, "unit", "month")


@dataclass
class _Names:
    """Names among their candidates, for these metrics."""

    project: Any
    metrics: Sequence[str]
    features: list[str] = field(default_factory=list)

    def group(self, group: Group) -> Group:
        return By(dimension=self._one(group.dimension)) if isinstance(group, By) else group

    def condition(self, condition: Condition) -> Condition:
        if isinstance(condition, Not):
            return Not(of=self.condition(condition.of))
        if not isinstance(condition, Is):
            return condition
        name = self._one(condition.dimension)
        values = tuple(self.project.value(name, str(value)) for value in condition.values)
        return Is(dimension=name, values=values)

    def _one(self, candidates: str) -> str:
        found = self.project.resolve(candidates, self.metrics)
        if not found:
            raise Refused("not_by", candidates)
        if len(found) > 1 and found[0].count("__") == found[1].count("__"):
            self.features.append("choice:dimension")
        return found[0]
