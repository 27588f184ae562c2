"""One question with every name decided: its figures, thresholds and order put together with its rows."""

from __future__ import annotations

from dataclasses import dataclass

from agents.analyst.grammar.figures import Figures
from agents.analyst.grammar.fragment import BETWEEN, Bound, Refused
from agents.analyst.grammar.naming import metrics_in
from agents.analyst.grammar.timing import UNTIMED, Timing, are_apart, as_long
from agents.analyst.intent import (
    AllOf,
    By,
    Change,
    Condition,
    CountOf,
    Difference,
    Intent,
    Is,
    Measure,
    Period,
    Periods,
    Ratio,
    Share,
    Slice,
    Threshold,
)

KINDS = {
    "count": {"count", "number", "unknown"},
    "money": {"money"},
    "ratio": {"ratio"},
    "duration": {"duration"},
    # How far is asked of what the project itself calls so.
    "distance": set(),
}
# What a thing is in at a time, and what tells why: a dimension's last words.
_STATES, _CAUSES = {"status", "state", "stage", "phase"}, {"reason", "cause"}
# Units of time, as words and as metrics name theirs.
SECONDS = {
    "ms": 0.001, "milliseconds": 0.001, "s": 1.0, "second": 1.0, "seconds": 1.0, "min": 60.0, "minute": 60.0,
    "minutes": 60.0, "h": 3600.0, "hour": 3600.0, "hours": 3600.0, "day": 86400.0, "days": 86400.0,
}  # fmt: skip


@dataclass(frozen=True)
class Completed:
    """An intent that a fragment comes to, what had to be chosen or filled in for it, and how its times were
    read: what a reader has to be told of them.
    """

    intent: Intent
    features: tuple[str, ...] = ()
    times: Timing = UNTIMED


class Question(Figures):
    """All that is said, with every name decided."""

    def completed(self) -> Completed:
        self._said = said = self._along(self._said)
        self._check_words()
        times = self._times()
        window, against = times.window, times.against
        conditions, listed = self._conditions()
        self._said = said = self._bettered(said)
        if said.part is not None and "share" not in said.wraps:
            raise Refused("share_of_what")
        if "share" in said.wraps and said.trend:
            raise Refused("too_much_at_once")
        conditions += [times.where] if times.where else []
        if "difference" in said.wraps and len(listed) == 1 and len(listed[0].values) == 2:
            return self._sliced(listed[0], [one for one in conditions if one != listed[0]], window)
        self._check_chosen(listed, times)
        apart = listed[0] if self._is_shared(listed) else None
        groups, partition = self._groups([] if apart else listed)
        if against and window and not are_apart(window, against):
            raise Refused("time_overlap")
        if against and window and self._adds_up() and not as_long(window, against):
            raise Refused("time_unlike")
        if len(times.several) == 1:
            window = times.several[0]
        elif times.several:
            groups = (*groups, Periods(periods=times.several))
        measures, groups = self._measures(groups)
        if apart:
            conditions = [one for one in conditions if one != apart]
            measures = tuple(share for one in measures for share in _each_share(one, apart))
        elif "share" in said.wraps:
            part = self._part(groups)
            conditions = [one for one in conditions if one != part]
        against, measures = self._changes(against, measures, groups)
        measures = self._differing(measures, against)
        if said.compared and not (against or listed or groups or len(measures) > 1):
            # Compared, but with what?
            raise Refused("change_since_when")
        having = tuple(self._threshold(bound, measures) for bound in said.having)
        if having and len(measures) == 1 and isinstance(counted := measures[0], CountOf):
            # Customers with at least five orders.
            measures, having = (counted.model_copy(update={"having": having}),), ()
        if having and not groups:
            raise Refused("threshold_of_what")
        self._check_counted(measures, groups, window)
        order, limit = self._ranking(measures, groups, partition, against)
        window = self._finished(window, groups, order) if limit else window
        if limit and not partition and len(groups) > 1:
            self._features.append("flat ranking")
        measures = self._beside(measures)
        try:
            intent = Intent(
                measures=measures,
                groups=groups,
                where=_together(conditions),
                window=window,
                against=against,
                having=having,
                order=order,
                limit=limit,
                partition=partition,
            )
        except ValueError as error:
            raise Refused("impossible", str(error)) from error
        return Completed(intent, tuple(self._features), times)

    def _is_shared(self, listed: list[Is]) -> bool:
        """Whether the values that are listed are what each share is of: the share of China and of Brasil."""
        said = self._said
        several = said.part is None and not (said.groups or said.each or said.direction or said.limit)
        return "share" in said.wraps and len(listed) == 1 and several

    def _check_words(self) -> None:
        """What is said of the figure beside its name must be true of it."""
        said, metrics = self._said, self._metrics()
        kind, _, currency = said.wanted.partition(":")
        if kind in KINDS:
            kinds = {self._vocabulary.kind(name) for name in metrics}
            # Things that are counted are a number.
            kinds = kinds or {"count"}
            if ("share" not in said.wraps or said.beside) and not kinds <= KINDS[kind]:
                raise Refused("not_of_kind", kind, *metrics)
            self._check_currency(currency, metrics)
        groups = [one.dimension for one in (*said.groups, *said.each) if isinstance(one, By)]
        if said.beyond and not (said.beyond == "cause" and any(_CAUSES & _last(one) for one in groups)):
            raise Refused(f"asks_{said.beyond}")
        if (said.wanted == "top" and not said.direction) or (said.wanted == "alone" and len(groups) > 1):
            # Five countries, but which? The doctor with the most patients is no doctor and patient.
            raise Refused("rank_by_what")
        if said.present and not (
            all(map(self._is_level, metrics))
            or any(isinstance(one, Is) and _STATES & _last(one.dimension) for one in said.where)
        ):
            raise Refused("time_present")
        if said.closing and not all(map(self._is_level, metrics)):
            raise Refused("time_present")
        if said.percent and not (said.trend or "share" in said.wraps or self._ratios()):
            raise Refused("not_of_kind", "ratio", *metrics)
        if said.wanted == "sum" and len(said.measures) > 1:
            # Figures side by side are no sum of them.
            raise Refused("too_much_at_once")
        if said.together and (said.limit or said.direction):
            raise Refused("too_much_at_once")
        for thing in said.objects:
            if not any(one.distance == 0 for one in self._vocabulary.resolve(thing, metrics)):
                raise Refused("not_of", thing)
        if said.single and not (metrics and all(map(self._vocabulary.averaged, metrics))):
            raise Refused("per_what")
        self._check_averages()
        if said.per is not None and not {"mean", "median"} & set(said.wraps):
            raise Refused("per_what")
        if any(isinstance(one, Ratio) and one.numerator == one.denominator for one in said.measures):
            raise Refused("share_of_what")
        counted = [one.among for one in said.measures if isinstance(one, CountOf) and one.among]
        if any(self._vocabulary.kind(name) == "ratio" for name in counted):
            raise Refused("not_counted_so", *counted)
        for mention in (*said.verbs, *said.mentions):
            if not self._is_beside(mention.split(BETWEEN), metrics):
                raise Refused("not_of", mention)

    def _check_currency(self, currency: str, metrics: list[str]) -> None:
        """Euros are no dollars; of a metric that says no currency, whatever is said is its own."""
        for name in metrics if currency else ():
            unit = self._vocabulary.semantic.metrics[name].unit
            if unit and unit.lower() != currency:
                raise Refused("not_of_kind", "money", name)

    def _ratios(self) -> bool:
        return {self._vocabulary.kind(name) for name in self._metrics()} == {"ratio"}

    def _sliced(self, listed: Is, conditions: list[Condition], window: Period | None) -> Completed:
        """Two values' figures and by how much the one is over the other."""
        said = self._said
        if said.groups or said.each or said.wraps != ("difference",) or said.direction:
            raise Refused("too_much_at_once")
        measure = self._one(said.measures)
        one, other = (
            Slice(of=measure, where=Is(dimension=listed.dimension, values=(value,)))
            for value in listed.values
        )
        measures = (one, other, Difference(left=one, right=other))
        return Completed(Intent(measures=measures, where=_together(conditions), window=window))

    def _threshold(self, bound: Bound, measures: tuple[Measure, ...]) -> Threshold:
        """A bound in its measure's own units."""
        measure = bound.measure or self._one(measures)
        if isinstance(measure, CountOf):
            raise Refused("threshold_of_what")
        kinds = {self._vocabulary.kind(name) for name in metrics_in(measure)}
        ratio = isinstance(measure, Share | Change) or kinds == {"ratio"}
        if (bound.kind == "percent") != ratio and not (ratio and bound.value <= 1):
            raise Refused("threshold_unit")
        kind, _, currency = bound.kind.partition(":")
        if kind == "money" and "money" not in kinds:
            raise Refused("threshold_unit")
        self._check_currency(currency, metrics_in(measure))
        value = bound.value
        if bound.kind in SECONDS:
            units = {self._vocabulary.unit(name) for name in metrics_in(measure)}
            own = SECONDS.get(next(iter(units)), 0.0) if len(units) == 1 else 0.0
            if not own:
                raise Refused("threshold_unit")
            value = bound.value * SECONDS[bound.kind] / own
        return Threshold(measure=measure, op=bound.op, value=value)


def _last(name: str) -> set[str]:
    return set(name.split("__")[-1].split("_"))


def _together(conditions: list[Condition]) -> Condition | None:
    if len(conditions) > 1:
        return AllOf(of=tuple(conditions))
    return conditions[0] if conditions else None


def _each_share(measure: Measure, listed: Is) -> list[Measure]:
    """The part that the rows of each value have in all rows."""
    if not isinstance(measure, Share):
        return [measure]
    return [
        Share(of=measure.of, of_which=listed.model_copy(update={"values": (value,)}))
        for value in listed.values
    ]
