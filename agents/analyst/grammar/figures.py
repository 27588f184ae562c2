"""The figures of a question: what is said of all of them, by how much they change, and their order."""

from __future__ import annotations

from typing import Any, Literal

from agents.analyst.grammar.fragment import Refused
from agents.analyst.grammar.naming import metrics_in
from agents.analyst.grammar.rows import Rows
from agents.analyst.intent import (
    By,
    Change,
    Condition,
    Difference,
    Every,
    Group,
    Mean,
    Measure,
    Order,
    Period,
    QuantileOf,
    Running,
    Share,
    Slice,
)

_OVERLAPPING = ("mean", "median", "share", "running")


class Figures(Rows):
    """Its measures and which of them comes first, with every name decided."""

    @staticmethod
    def _one(measures: tuple[Measure, ...]) -> Measure:
        if len(measures) > 1:
            raise Refused("which_measure")
        return measures[0]

    def _direction(self, measure: Measure) -> str:
        """From which end: the worst return rate is the highest, the worst revenue the least."""
        said = self._said.direction or "desc"
        if said in ("asc", "desc"):
            return said
        worse = {self._vocabulary.worse(name) for name in metrics_in(measure)}
        if len(worse) != 1 or not (end := worse.pop()):
            raise Refused("best_of_what")
        return "desc" if (end == "high") == (said == "worst") else "asc"

    def _trending(self, against: Period | None, direction: str) -> tuple[Any, Any]:
        """By what, from which end: what fell most has the least change, what changed most is the farthest."""
        said = self._said
        if not against or not said.trend:
            return "value", direction
        if said.trend == "either":
            return "change_rate" if said.percent else "absolute_change", direction
        down = said.trend == "down" and direction != "asc"
        return "change_rate" if said.percent else "change", "asc" if down else direction

    def _measures(self, groups: tuple[Group, ...]) -> tuple[tuple[Measure, ...], tuple[Group, ...]]:
        """The measures with what is said of all of them: shares, averages, running totals."""
        said = self._said
        measures = said.measures
        if sum(wrap in said.wraps for wrap in _OVERLAPPING) > 1:
            raise Refused("too_much_at_once")
        if "share" in said.wraps:
            return self._shares(measures, groups), groups
        for wrap in ("mean", "median"):
            if wrap in said.wraps:
                return self._averages(wrap, measures, groups)
        if "running" in said.wraps:
            if not any(isinstance(group, Every) for group in groups):
                groups = (Every(grain="day"), *groups)
                self._features.append("running by day")
            measures = tuple(Running(of=one) for one in measures)
        return measures, groups

    def _shares(self, measures: tuple[Measure, ...], groups: tuple[Group, ...]) -> tuple[Measure, ...]:
        part = self._part(groups)
        shares = tuple(Share(of=one, of_which=part) for one in measures)
        if not self._said.beside:
            return shares
        return (*(Slice(of=one, where=part) if part else one for one in measures), *shares)

    def _part(self, groups: tuple[Group, ...]) -> Condition | None:
        """What a share is the share of; each group where nothing is named."""
        said = self._said
        if said.part is not None:
            return self._checked(said.part)
        if any(not isinstance(group, Every) for group in groups):
            return None
        possible = [*said.where, *((self._times().where,) if self._times().where else ())]
        if len(possible) != 1:
            raise Refused("share_of_what")
        return self._checked(possible[0])

    def _averages(
        self, wrap: str, measures: tuple[Measure, ...], groups: tuple[Group, ...]
    ) -> tuple[tuple[Measure, ...], tuple[Group, ...]]:
        said = self._said
        averaged = {self._vocabulary.averaged(name) for name in self._metrics()} == {True}
        if averaged and said.per is None:
            # What is an average already is meant; a median of it is one of what it averages.
            return tuple(QuantileOf(of=one) for one in measures) if wrap == "median" else measures, groups
        possible = [group for group in said.each if isinstance(group, Every) or wrap == "median"]
        possible += [
            self._named(group)
            for group in (*said.each, *said.groups)
            if isinstance(group, By) and self._vocabulary.is_entity(group.dimension)
        ]
        over = [said.per] if said.per else list(dict.fromkeys(possible))
        if len(over) != 1 or not isinstance(per := over[0], Every | By):
            raise Refused("average_of_what")
        rest = tuple(group for group in groups if group != per)
        if wrap == "median" and said.per is None and isinstance(per, Every):
            # The median by month: of each month's values, or of the months' figures?
            self._features.append("median over periods")
        if wrap == "mean":
            return tuple(_mean(one, per) for one in measures), rest
        return tuple(QuantileOf(of=one, per=per) for one in measures), rest

    def _changes(
        self, against: Period | None, measures: tuple[Measure, ...], groups: tuple[Group, ...]
    ) -> tuple[Period | None, tuple[Measure, ...]]:
        said = self._said
        series = [group.grain for group in groups if isinstance(group, Every)]
        if against is not None or not (said.trend or said.against):
            return against, measures
        ranked = said.direction or said.limit or said.ranked
        if series and (said.trend or (said.against in ("year_ago", "period", *series) and not ranked)):
            back: Literal["year", "period"] = "year" if said.against == "year_ago" else "period"
            form: Literal["difference", "rate"] = "difference" if "difference" in said.wraps else "rate"
            return None, (*measures, *(Change(of=one, back=back, form=form) for one in measures))
        raise Refused("change_since_when")

    def _finished(
        self, window: Period | None, groups: tuple[Group, ...], order: Order | None
    ) -> Period | None:
        """Without the period that is still running, where the least are asked for: it has had no time to be
        more.
        """
        grains = [group.grain for group in groups if isinstance(group, Every)]
        if not grains or order is None or order.direction != "asc" or order.part != "value":
            return window
        begun = self._calendar.floor(self._calendar.now, grains[0])
        start, end = (window.start, window.end) if window else (None, None)
        if (end and end <= begun) or (start and start >= begun):
            return window
        return Period(start=start, end=begun)

    def _differing(self, measures: tuple[Measure, ...], against: Period | None) -> tuple[Measure, ...]:
        """The difference asked for is that of two figures, beside them, or the change that there is."""
        changing = against or any(isinstance(one, Change) for one in measures)
        if "difference" not in self._said.wraps or changing:
            return measures
        if len(measures) != 2:
            raise Refused("change_since_when")
        kinds = {self._vocabulary.kind(name) for one in measures for name in metrics_in(one)}
        if len(kinds) > 1:
            raise Refused("not_of_kind", *(name for one in measures for name in metrics_in(one)))
        return *measures, Difference(left=measures[0], right=measures[1])

    def _ranking(
        self,
        measures: tuple[Measure, ...],
        groups: tuple[Group, ...],
        partition: tuple[Group, ...],
        against: Period | None,
    ) -> tuple[Order | None, int | None]:
        said = self._said
        if not (said.direction or said.limit or (said.ranked and groups)):
            return None, None
        if said.ranked and against and not (groups or said.limit):
            # More in October than in September: both are shown.
            return None, None
        if not groups or (said.each and not said.groups and not said.ranked and groups == said.each):
            # The most of each, but of what?
            raise Refused("rank_what")
        several = len(said.measures) > 1 if said.beside else len(measures) > 1
        if several and said.by is None and not isinstance(measures[-1], Change):
            raise Refused("rank_by_what")
        by = said.by or measures[0 if said.beside else -1]
        part, direction = self._trending(against, self._direction(by))
        order = Order(by=by, part=part, direction=direction)
        if said.limit or said.ranked or not said.direction:
            return order, said.limit
        self._features.append("first one only")
        return order, 1


def _mean(measure: Measure, per: Every | By) -> Measure:
    """The average, said twice or once."""
    return measure if isinstance(measure, Mean) and measure.per == per else Mean(of=measure, per=per)
