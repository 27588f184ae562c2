"""Times made of other times: rolling windows, ranges, edges, several ones, and words that are no period."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from agents.analyst.grammar.when import SIZES, Around, Calendar, NoTime, Recurring, When
from agents.analyst.intent import Period

# So many days are a week, a month, ... where the last ones are meant and not the calendar's.
_DAYS = {"week": 7, "month": 30, "quarter": 90, "half": 182, "year": 365}


@dataclass(frozen=True)
class Rolling(When):
    """The last `count` units up to now, or up to the end of a time. `whole`: those that are over. Hours and
    minutes end with the running minute; days and more are calendar units with the running one, except that a
    single week, month or year is as many days as it usually has.
    """

    unit: str
    count: int
    whole: bool = False
    until: When | None = None
    assumes = "rolling"

    def at(self, calendar: Calendar) -> Period:
        now = calendar.now
        if self.until:
            last = self.until.at(calendar).end
            if last is None:
                raise NoTime("impossible")
            now = calendar.step(last, "minute", -1)
        tomorrow = calendar.step(calendar.floor(now, "day"), "day")
        if self.whole:
            end = calendar.floor(now, self.unit)
        elif self.unit in ("minute", "hour"):
            end = calendar.step(calendar.floor(now, "minute"), "minute")
        elif self.count == 1 and self.unit in _DAYS:
            return Period(start=calendar.step(tomorrow, "day", -_DAYS[self.unit]), end=tomorrow)
        else:
            end = calendar.step(calendar.floor(now, self.unit), self.unit)
        return Period(start=calendar.step(end, self.unit, -self.count), end=end)


@dataclass(frozen=True)
class Range(When):
    """From the beginning of one to the end of the other; an end that is None is open. Of what is named
    without its year or month, the last follows the first: 1 October to the 7th.
    """

    first: When | None
    last: When | None

    def at(self, calendar: Calendar) -> Period:
        first, last = self.first, self.last
        if isinstance(first, Recurring) and last and _dated(last, first):
            end = last.at(calendar)
            begin = first.preceding(end.start or calendar.now, calendar)
        else:
            begin = first.at(calendar) if first else Period(end=calendar.now)
            end = Period(start=calendar.now)
            if isinstance(last, Recurring) and first and begin.start:
                end = last.following(begin.start, calendar)
            elif last:
                end = last.at(calendar)
        start, stop = begin.start if first else None, end.end if last else None
        if (first and start is None) or (last and stop is None) or (start and stop and start >= stop):
            raise NoTime("empty")
        return Period(start=start, end=stop)


@dataclass(frozen=True)
class Edge(When):
    """Before the beginning of a time, or after its end."""

    side: str
    of: When

    def at(self, calendar: Calendar) -> Period:
        period = self.of.at(calendar)
        if (period.start if self.side == "before" else period.end) is None:
            raise NoTime("empty")
        return Period(end=period.start) if self.side == "before" else Period(start=period.end)


@dataclass(frozen=True)
class Through(When):
    """From the beginning of a time to the end of its month: 20 October to the end of the month."""

    of: When
    unit: str

    def at(self, calendar: Calendar) -> Period:
        start = self.of.at(calendar).start
        if start is None:
            raise NoTime("empty")
        return Period(start=start, end=calendar.step(calendar.floor(start, self.unit), self.unit))


@dataclass(frozen=True)
class Beside(When):
    """So many units right before or after a time: the three days before Christmas."""

    side: str
    unit: str
    count: int
    of: When

    def at(self, calendar: Calendar) -> Period:
        period = self.of.at(calendar)
        edge = period.start if self.side == "before" else period.end
        if edge is None:
            raise NoTime("empty")
        other = calendar.step(edge, self.unit, -self.count if self.side == "before" else self.count)
        return Period(start=min(edge, other), end=max(edge, other))


@dataclass(frozen=True)
class Hours(When):
    """Some hours of one day; `end` may be over 24: until the next morning."""

    of: When
    start: int
    end: int
    assumes = "hours"

    def at(self, calendar: Calendar) -> Period:
        day = self.of.at(calendar).start
        if day is None:
            raise NoTime("impossible")
        return Period(start=calendar.step(day, "hour", self.start), end=calendar.step(day, "hour", self.end))


@dataclass(frozen=True)
class Roughly(When):
    """A time that has no sharp ends, as these days."""

    of: When
    assumes = "roughly"

    def at(self, calendar: Calendar) -> Period:
        return self.of.at(calendar)


@dataclass(frozen=True)
class Shifted(When):
    """The same time so many units earlier or later: this day of last year."""

    of: When
    unit: str
    count: int

    def at(self, calendar: Calendar) -> Period:
        return shifted(self.of.at(calendar), self.unit, self.count, calendar)

    @property
    def size(self) -> str:
        return self.of.size


@dataclass(frozen=True)
class Several(When):
    """Each of these, in the order of time."""

    of: tuple[When, ...]

    def at(self, calendar: Calendar) -> Period:
        raise NoTime("several")


@dataclass(frozen=True)
class Unclear(When):
    """Words that may be several times (10/1), or that do not say which (recently, fiscal year)."""

    key: str
    said: str
    readings: tuple[When, ...] = ()

    def at(self, calendar: Calendar) -> Period:
        raise NoTime(self.key, self.said, readings=tuple(one.at(calendar) for one in self.readings))


def _dated(last: When, first: Recurring) -> bool:
    """Whether the end says more of when it is than the beginning: 1st to 15 October."""
    return not isinstance(last, Recurring) or SIZES.index(last.of_unit) > SIZES.index(first.of_unit)


def shifted(period: Period, unit: str, count: int, calendar: Calendar) -> Period:
    """The same stretch so many units later; whole months stay whole."""

    def moved(moment: datetime | None) -> datetime | None:
        return moment and calendar.step(moment, unit, count)

    start, end = period.start, period.end
    months = start and end and start.day == end.day == 1 and unit in ("month", "quarter", "half", "year")
    if start and end and not months and unit in ("month", "quarter", "half", "year"):
        # 30 and 31 October are 30 September: the last day, not the first of the next month, is moved.
        last = calendar.step(calendar.step(end, "day", -1), unit, count)
        return Period(start=moved(start), end=calendar.step(last, "day"))
    return Period(start=moved(start), end=moved(end))


def dated(when: When, frame: When) -> When | None:
    """What recurs, in this frame: 1 to 15 November, of last year. None where nothing of it recurs in such a
    frame.
    """
    if isinstance(when, Recurring):
        return when.within(frame) if when.of_unit == frame.size else None
    if isinstance(when, Range):
        ends = [end and dated(end, frame) for end in (when.first, when.last)]
        return (
            Range(*ends) if all(ends[i] or not end for i, end in enumerate((when.first, when.last))) else None
        )
    if isinstance(when, Edge | Hours | Beside | Around | Through):
        inside = dated(when.of, frame)
        return replace(when, of=inside) if inside else None
    if isinstance(when, Several):
        each = tuple(dated(one, frame) for one in when.of)
        return Several(tuple(one for one in each if one)) if all(each) else None
    return None
