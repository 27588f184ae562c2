"""What a question says of its rows: which, in what groups, of which periods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

from agents.analyst.grammar.fragment import Fragment, Refused
from agents.analyst.grammar.naming import metrics_in
from agents.analyst.grammar.spans import Rolling
from agents.analyst.grammar.timing import Timing, timing
from agents.analyst.grammar.when import Calendar, NoTime, Weekdays, When
from agents.analyst.intent import (
    AllOf,
    AnyOf,
    AtPart,
    By,
    Condition,
    CountOf,
    Every,
    Grain,
    Group,
    Is,
    Mean,
    Measure,
    Not,
    PartOf,
    Period,
    Periods,
    Ratio,
)

_MEANS = ("average", "median", "rate", "平均", "率")
# So many of these are the larger one.
_COUNTED = {
    **{("month", "week"): 4, ("quarter", "week"): 13, ("half", "week"): 26, ("year", "week"): 52},
    **{("quarter", "month"): 3, ("half", "month"): 6, ("year", "month"): 12},
    **{("half", "quarter"): 2, ("year", "quarter"): 4},
}
GRAINS: tuple[Grain, ...] = get_args(Grain)


class Rows:
    """Its conditions, groups and periods, with every name decided."""

    def __init__(self, said: Fragment, vocabulary: Any, calendar: Calendar) -> None:
        self._said, self._vocabulary, self._calendar = said, vocabulary, calendar
        self._features: list[str] = []

    def _is_beside(self, names: list[str], metrics: list[str]) -> bool:
        """Whether a mention of these says nothing new. Beside a bare count one of them counts the same: a
        session that had a failed run is more than a session.
        """
        known = [self._vocabulary.semantic.metrics[name] for name in names]
        things = {of for one in known for of in (one.counts, one.counts_some)}
        counts = [one for one in self._said.measures if isinstance(one, CountOf)]
        bare = all(one.among or one.having or one.of in things for one in counts)
        return set(metrics) <= set(names) and (bool(metrics) or bare)

    def _metrics(self) -> list[str]:
        return metrics_in(self._said.measures)

    def _conditions(self) -> tuple[list[Condition], list[Is]]:
        """What rows must be like, and of these the lists whose values are shown each: China and Japan."""
        values: dict[str, list[Any]] = {}
        rest: list[Condition] = []
        for condition in self._said.where:
            if isinstance(condition, Is):
                known = values.setdefault(condition.dimension, [])
                known += [one for one in self._known(condition).values if one not in known]
            else:
                rest.append(self._checked(condition))
        if any(
            isinstance(one, AtPart) and one.part == "weekday" and len(set(one.values)) == 7 for one in rest
        ):
            # At weekends and on weekdays: each by itself.
            raise Refused("periods")
        rest = [self._at_night(one) if isinstance(one, AtPart) else one for one in rest]
        parts = [one.part for one in rest if isinstance(one, AtPart)]
        if len(set(parts)) < len(parts):
            raise Refused("periods")
        lists = [Is(dimension=name, values=tuple(found)) for name, found in values.items()]
        self._check_excluded(values, rest)
        self._check_none(rest)
        if self._said.only and any(map(self._has_several, values)):
            # Who was seen by telehealth only has rows of nothing else, which no filter tells.
            raise Refused("only_these", *(str(one) for known in values.values() for one in known))
        self._check_own(values, self._metrics())
        several = [one for one in lists if len(one.values) > 1 and not self._said.together]
        if not (self._said.each or self._said.groups or self._said.apart):
            self._check_several(several)
        return [*lists, *rest], several

    def _check_own(self, values: Mapping[str, list[Any]], metrics: Sequence[str]) -> None:
        """What is all of one status has none of another: no-shows that were cancelled."""
        for known in (
            self._vocabulary.semantic.metrics[name]
            for name in metrics
            if name in self._vocabulary.semantic.metrics
        ):
            for dimension, value in known.only:
                if values.get(dimension) and value not in values[dimension]:
                    raise Refused("impossible")
            self._check_own(values, known.inputs)

    def _at_night(self, at: AtPart) -> AtPart:
        """Yesterday evening, from 10 to 12: the clock's hours that lie in the time. Hours of another part of
        the day are none of it.
        """
        window = self._times().window
        start, end = (window.start, window.end) if window else (None, None)
        if at.part != "hour_of_day" or not (start and end) or end - start >= timedelta(days=1):
            return at
        within = {
            (start + timedelta(hours=hour)).hour for hour in range(-(-(end - start) // timedelta(hours=1)))
        }
        later = tuple(sorted((hour + 12) % 24 for hour in at.values))
        for values in (at.values, later):
            if within.issuperset(values):
                return AtPart(part=at.part, values=values)
        if within.isdisjoint(at.values):
            raise Refused("impossible")
        return at

    def _check_several(self, listed: Sequence[Is]) -> None:
        """Who bought jeans and shorts: both, either, or those of each? Nobody is of two countries."""
        for one in listed:
            if self._has_several(one.dimension):
                raise Refused("both_or_either", *map(str, one.values))

    def _check_none(self, rest: Sequence[Condition]) -> None:
        """Customers with no returns are not those of all rows but the returned."""
        for condition in rest:
            of = condition.of if isinstance(condition, Not) else None
            if isinstance(of, Is) and self._has_several(of.dimension):
                raise Refused("none_of_it", *map(str, of.values))

    def _has_several(self, dimension: str) -> bool:
        """Whether one of the things that are counted may be of several of a dimension's values."""
        counted = {one.of for one in self._said.measures if isinstance(one, CountOf)}
        known = [self._vocabulary.semantic.metrics[name] for name in self._metrics()]
        counted |= {metric.counts or metric.counts_some for metric in known}
        return any(of and self._vocabulary.has_several(of, dimension) for of in counted)

    @staticmethod
    def _check_excluded(named: Mapping[str, list[Any]], rest: Sequence[Condition]) -> None:
        """Who bought jeans but not shirts: of the rows of jeans none is of shirts, so it is not rows that are
        meant.
        """
        for condition in rest:
            of = condition.of if isinstance(condition, Not) else None
            if isinstance(of, Is) and of.dimension in named:
                raise Refused("of_those_not", *map(str, (*named[of.dimension], *of.values)))

    def _known(self, condition: Is) -> Is:
        values = tuple(self._vocabulary.value(condition.dimension, str(one)) for one in condition.values)
        if None in values:
            raise Refused("no_such_value", *map(str, condition.values))
        return Is(dimension=condition.dimension, values=tuple(dict.fromkeys(values)))

    def _checked(self, condition: Condition) -> Condition:
        if isinstance(condition, Is):
            return self._known(condition)
        if isinstance(condition, Not):
            return Not(of=self._checked(condition.of))
        if isinstance(condition, AllOf | AnyOf):
            return type(condition)(of=tuple(self._checked(one) for one in condition.of))
        return condition

    def _groups(self, listed: list[Is]) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
        said = self._said
        selecting = bool(said.direction or said.limit)
        every = self._grain()
        partition = tuple(map(self._named, said.each)) if selecting and said.groups else ()
        groups = self._weekdays(list(dict.fromkeys(map(self._named, (*said.each, *every, *said.groups)))))
        for one in listed:
            shown = By(dimension=one.dimension)
            if shown not in groups:
                groups.insert(0, shown)
        if said.apart and selecting and listed and not said.each:
            partition = tuple(By(dimension=one.dimension) for one in listed)
        elif said.apart and not listed and self._is_nothing_apart(groups):
            raise Refused("apart_what")
        if any(isinstance(group, PartOf) for group in groups) and self._is_one_day():
            # Which weekday, is it Monday?
            raise Refused("time_several")
        metrics = [self._vocabulary.semantic.metrics[name] for name in self._metrics()]
        for group in groups:
            if isinstance(group, Every) and not all(group.grain in metric.grains for metric in metrics):
                raise Refused("no_grain", group.grain, *self._metrics())
        counted = {name for metric in metrics for name in (metric.counts, metric.counts_some)}
        counted |= {one.of for one in said.measures if isinstance(one, CountOf)}
        if any(isinstance(group, By) and self._thing(group.dimension) in counted for group in groups):
            # How many customers each customer is.
            raise Refused("one_each")
        # What comes one after the other comes first: by month and country.
        return tuple(sorted(groups, key=_first)), partition

    def _is_nothing_apart(self, groups: list[Group]) -> bool:
        """Whether nothing is said that may be shown each by itself, or values that are of no one dimension:
        women and menswear.
        """
        values = [one for one in self._said.where if isinstance(one, Is)]
        return len(values) > 1 or not (groups or len(self._said.measures) > 1 or self._periods())

    def _thing(self, dimension: str) -> str:
        """The entity that a dimension tells apart."""
        if self._vocabulary.is_entity(dimension):
            return dimension
        own = dimension.split("__")[-2:-1]
        known = bool(own) and self._vocabulary.is_entity(own[0])
        return own[0] if known and self._vocabulary.naming(own[0]) == dimension else " "

    def _weekdays(self, groups: list[Group]) -> list[Group]:
        """Which day, of Mondays and Fridays: which weekday."""
        named = any(
            isinstance(one, AtPart) and one.part == "weekday" and len(one.values) > 1
            for one in self._said.where
        )
        if not named or not (self._said.direction or self._said.ranked or self._said.compared):
            return groups
        return [PartOf(part="weekday") if group == Every(grain="day") else group for group in groups]

    def _named(self, group: Group) -> Group:
        """Things are shown by their names, where they have names."""
        if not isinstance(group, By) or not self._vocabulary.is_entity(group.dimension):
            return group
        return By(dimension=self._vocabulary.named(group.dimension, self._metrics()))

    def _grain(self) -> tuple[Group, ...]:
        """The periods of a course that is asked for without them: growth month over month this year."""
        said = self._said
        if any(isinstance(group, Every) for group in (*said.each, *said.groups)):
            return ()
        if said.against in GRAINS and said.trend and self._longer(said.against):
            return (Every(grain=_grain(said.against)),)
        if not said.series:
            return ()
        grain = next((one for one in ("month", "week", "day") if self._longer(one)), "month")
        self._features.append("grain filled in")
        return (Every(grain=_grain(grain)),)

    def _longer(self, grain: str) -> bool:
        """Whether the time that is asked about has several of these periods."""
        try:
            window = timing(self._said.times, self._calendar).window
        except NoTime:
            return False
        if window is None or window.start is None or window.end is None:
            return True
        return self._calendar.step(self._calendar.floor(window.start, grain), grain, 2) <= window.end

    def _along(self, said: Fragment) -> Fragment:
        """Each month against the month before, over half a year: the change along the series."""
        every = [one for one in (*said.groups, *said.each) if isinstance(one, Every)]
        if len(every) != 1 or not said.compared or said.against or len(said.times) > 2:
            return said
        grain = every[0].grain
        end = self._calendar.floor(self._calendar.now, grain)
        before = Period(start=self._calendar.step(end, grain, -1), end=end)
        rest = tuple(one for one in said.times if not _is(one, before, self._calendar))
        if len(rest) != len(said.times) - 1:
            return said
        return replace(said, times=rest, compared=False, trend=said.trend or "either")

    def _by_grain(self, when: When) -> When:
        """Half a year by the month is six months, and no month is cut off where it begins."""
        grains = {one.grain for one in (*self._said.groups, *self._said.each) if isinstance(one, Every)}
        if not isinstance(when, Rolling) or when.count != 1 or when.whole or len(grains) != 1:
            return when
        grain = grains.pop()
        count = _COUNTED.get((when.unit, grain))
        return replace(when, unit=grain, count=count) if count else when

    def _is_one_day(self) -> bool:
        return any(isinstance(one, Weekdays) and one.first == one.last for one in self._said.times)

    def _bettered(self, said: Fragment) -> Fragment:
        """A rate of failures improves by falling."""
        if said.trend not in ("better", "worse"):
            return said
        worse = {self._vocabulary.worse(name) for name in self._metrics()}
        if len(worse) != 1 or not (end := worse.pop()):
            raise Refused("best_of_what")
        return replace(said, trend="up" if (end == "low") == (said.trend == "better") else "down")

    def _adds_up(self) -> bool:
        """Whether there is more of a figure in a longer time: not of a rate, of an average or of a share."""
        kinds = {self._vocabulary.semantic.metrics[name].additivity.kind for name in self._metrics()}
        averaged = {"mean", "median", "share"}.intersection(self._said.wraps)
        return not averaged and not kinds.isdisjoint(("additive", "distinct"))

    def _is_level(self, metric: str) -> bool:
        """Whether a figure is of a time and not of what happened in it: stock on hand."""
        known = self._vocabulary.semantic.metrics[metric]
        return known.additivity.kind == "semi-additive" or any(map(self._is_level, known.inputs))

    def _check_chosen(self, listed: list[Is], times: Timing) -> None:
        """Which of the two, where two are named."""
        said = self._said
        named = listed or times.several or times.against or any(isinstance(one, AtPart) for one in said.where)
        if said.chosen and not named:
            raise Refused("which_of_what")

    def _beside(self, measures: tuple[Measure, ...]) -> tuple[Measure, ...]:
        """With what the rows are ordered by, where that is another figure."""
        by = self._said.by
        if by and measures and by not in measures:
            self._features.append("ordered by another")
        return tuple(dict.fromkeys((*measures, *((by,) if by else ()))))

    def _check_counted(
        self, measures: tuple[Measure, ...], groups: tuple[Group, ...], window: Period | None
    ) -> None:
        """Patients of October: those that came, or those that are new?"""
        timed = window or any(isinstance(one, Every) for one in groups)
        if timed and any(isinstance(one, CountOf) and not (one.among or one.having) for one in measures):
            self._features.append("vague")

    def _check_averages(self) -> None:
        """The average wait per doctor is that of each doctor; order value over customers is nothing."""
        for one in self._said.measures:
            if isinstance(one, Ratio) and any(map(self._is_mean, metrics_in(one.numerator))):
                raise Refused("average_of_what")
            if (
                isinstance(one, Mean)
                and isinstance(one.per, By)
                and any(map(self._is_mean, metrics_in(one.of)))
            ):
                raise Refused("average_of_what")

    def _is_mean(self, metric: str) -> bool:
        """Whether a figure is called an average or a rate itself."""
        label = self._vocabulary.semantic.metrics[metric].label.lower()
        return self._vocabulary.averaged(metric) and any(word in label for word in _MEANS)

    def _periods(self) -> bool:
        """Whether several periods are spoken of."""
        times = self._times()
        return bool(times.several or times.against)

    def _times(self) -> Timing:
        said = self._said
        changing = bool(said.compared or said.trend or "difference" in said.wraps)
        series = any(isinstance(group, Every) for group in (*said.groups, *said.each))
        against = said.against if changing and not series else ""
        times = tuple(self._by_grain(one) for one in said.times)
        if changing and not series and not against and len(times) == 1:
            # From the second quarter to the third: from the one to the other.
            first, last = getattr(times[0], "first", None), getattr(times[0], "last", None)
            if isinstance(first, When) and isinstance(last, When) and first.size == last.size:
                times = (first, last)
        try:
            return timing(times, self._calendar, compared=changing, against=against)
        except NoTime as reason:
            raise Refused(f"time_{reason.key}", *reason.values) from reason


def _grain(name: str) -> Grain:
    return next(one for one in GRAINS if one == name)


def _is(when: When, period: Period, calendar: Calendar) -> bool:
    try:
        return when.at(calendar) == period
    except NoTime:
        return False


def _first(group: Group) -> bool:
    return not isinstance(group, Every | PartOf | Periods)
