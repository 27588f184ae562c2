"""When: expressions of time as people say them, and the stretch of time that each is at one moment.

Everything is half-open and UTC. `Stretch` is the whole algebra of parts: October is months 10..10 of a year,
its first ten days are days 1..10 of it, the last two weeks of it weeks -2..-1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from dateutil.relativedelta import relativedelta

from agents.analyst.intent import Period

UNITS = ("minute", "hour", "day", "week", "month", "quarter", "year")
# So many days are a week, a month, ... where the last ones are meant and not the calendar's.
_DAYS = {"week": 7, "month": 30, "quarter": 90, "half": 182, "year": 365}


@dataclass(frozen=True)
class Calendar:
    """What an expression depends on: the moment, and the weekday that weeks begin with (0 is Monday)."""

    now: datetime
    week_start: int = 0

    def floor(self, moment: datetime, unit: str) -> datetime:
        """The beginning of the unit that a moment lies in."""
        if unit in ("minute", "hour"):
            minute = 0 if unit == "hour" else moment.minute
            return moment.replace(minute=minute, second=0, microsecond=0)
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        if unit == "week":
            return day - timedelta(days=(day.weekday() - self.week_start) % 7)
        months = {"month": 1, "quarter": 3, "half": 6, "year": 12}.get(unit)
        return day if months is None else day.replace(day=1, month=(day.month - 1) // months * months + 1)

    def step(self, moment: datetime, unit: str, count: int = 1) -> datetime:
        months = {"month": 1, "quarter": 3, "half": 6, "year": 12}.get(unit)
        if months:
            return moment + relativedelta(months=months * count)
        return moment + timedelta(**{f"{unit}s": count})

    @property
    def tomorrow(self) -> datetime:
        return self.step(self.floor(self.now, "day"), "day")


class When(Protocol):
    """An expression of time. `at` is the stretch that it is, or None where there is none: 31 November."""

    def at(self, calendar: Calendar) -> Period | None: ...


@dataclass(frozen=True)
class Unit:
    """The calendar unit so many before (-1: last) or after the running one."""

    unit: str
    offset: int = 0

    def at(self, calendar: Calendar) -> Period | None:
        start = calendar.step(calendar.floor(calendar.now, self.unit), self.unit, self.offset)
        return Period(start=start, end=calendar.step(start, self.unit))


@dataclass(frozen=True)
class Year:
    number: int

    def at(self, calendar: Calendar) -> Period | None:
        start = datetime(self.number, 1, 1, tzinfo=UTC)
        return Period(start=start, end=calendar.step(start, "year"))


@dataclass(frozen=True)
class Stretch:
    """The units `first` to `last` of a time, counted from 1; from its end they are -1, -2. A week is of the
    time that it begins in; `last` None: up to the end.
    """

    of: When
    unit: str
    first: int
    last: int | None

    def at(self, calendar: Calendar) -> Period | None:
        whole = self.of.at(calendar)
        if whole is None or whole.start is None or whole.end is None:
            return None
        pieces = list(_pieces(whole.start, whole.end, self.unit, calendar))
        first = self.first - 1 if self.first > 0 else len(pieces) + self.first
        last = (
            len(pieces) - 1
            if self.last is None
            else self.last - 1
            if self.last > 0
            else len(pieces) + self.last
        )
        if not 0 <= first <= last < len(pieces):
            return None
        return Period(start=pieces[first][0], end=pieces[last][1])


def _pieces(
    start: datetime, end: datetime, unit: str, calendar: Calendar
) -> Iterator[tuple[datetime, datetime]]:
    at = calendar.floor(start, unit)
    if at < start:
        at = calendar.step(at, unit)
    while at < end:
        after = calendar.step(at, unit)
        yield at, min(after, end) if unit != "week" else after
        at = after


@dataclass(frozen=True)
class Latest:
    """What is named without its year, month or week: the newest that has begun. `of` is said of the running
    `unit`, and is of the one before where that lies ahead.
    """

    unit: str
    parts: tuple[tuple[str, int, int | None], ...]

    def at(self, calendar: Calendar) -> Period | None:
        # 29 February is not in every year.
        for offset in (0, -1, -2, -3, -4):
            found: When = Unit(self.unit, offset)
            for unit, first, last in self.parts:
                found = Stretch(found, unit, first, last)
            period = found.at(calendar)
            if period and period.start and period.start <= calendar.now:
                return period
        return None


@dataclass(frozen=True)
class Rolling:
    """The last `count` units up to now. `whole`: those that are over. Hours and minutes end with the running
    minute; days and more are calendar units with the running one, except that a single week, month or year is
    as many days as it usually has.
    """

    unit: str
    count: int
    whole: bool = False

    def at(self, calendar: Calendar) -> Period | None:
        if self.whole:
            end = calendar.floor(calendar.now, self.unit)
        elif self.unit in ("minute", "hour"):
            end = calendar.step(calendar.floor(calendar.now, "minute"), "minute")
        elif self.count == 1 and self.unit in _DAYS:
            return Period(
                start=calendar.step(calendar.tomorrow, "day", -_DAYS[self.unit]), end=calendar.tomorrow
            )
        else:
            end = calendar.step(calendar.floor(calendar.now, self.unit), self.unit)
        return Period(start=calendar.step(end, self.unit, -self.count), end=end)


@dataclass(frozen=True)
class Range:
    """From the beginning of one to the end of the other; an end that is None is open."""

    first: When | None
    last: When | None

    def at(self, calendar: Calendar) -> Period | None:
        first = self.first.at(calendar) if self.first else None
        last = self.last.at(calendar) if self.last else None
        if (self.first and first is None) or (self.last and last is None):
            return None
        start, end = first.start if first else None, last.end if last else None
        return None if start and end and start >= end else Period(start=start, end=end)


@dataclass(frozen=True)
class Edge:
    """Before the beginning of a time, or after its end."""

    side: str
    of: When

    def at(self, calendar: Calendar) -> Period | None:
        period = self.of.at(calendar)
        if period is None:
            return None
        return Period(end=period.start) if self.side == "before" else Period(start=period.end)


@dataclass(frozen=True)
class ToDate:
    """From the beginning of the running unit to the end of today."""

    unit: str

    def at(self, calendar: Calendar) -> Period | None:
        return Period(start=calendar.floor(calendar.now, self.unit), end=calendar.tomorrow)


@dataclass(frozen=True)
class Shifted:
    """The same time so many units earlier or later: the same days of last year, the month before."""

    of: When
    unit: str
    count: int

    def at(self, calendar: Calendar) -> Period | None:
        period = self.of.at(calendar)
        if period is None or period.start is None or period.end is None:
            return None
        return Period(
            start=calendar.step(period.start, self.unit, self.count),
            end=calendar.step(period.end, self.unit, self.count),
        )


def so_far(period: Period, calendar: Calendar) -> Period:
    """As much of a period as there is by now: up to the end of today."""
    if period.start is None or calendar.tomorrow <= period.start:
        return period
    end = min(period.end, calendar.tomorrow) if period.end else calendar.tomorrow
    return Period(start=period.start, end=end)


def preceding(period: Period, calendar: Calendar) -> Period:
    """The period right before, as long in the calendar's own terms: whole months where it is whole months."""
    start, end = period.start, period.end
    if start is None or end is None:
        raise ValueError("only a period with both ends has one before it")
    if all(calendar.floor(edge, "month") == edge for edge in (start, end)):
        months = (end.year - start.year) * 12 + end.month - start.month
        return Period(start=calendar.step(start, "month", -months), end=start)
    return Period(start=start - (end - start), end=start)


def is_running(period: Period, calendar: Calendar) -> bool:
    """Whether it has begun and is not over."""
    return (period.start is None or period.start <= calendar.now) and (
        period.end is None or period.end > calendar.tomorrow
    )


def alike(earlier: Period, current: Period, calendar: Calendar) -> Period:
    """As many days of an earlier period as the running one has by now, so that like is compared with like."""
    if not is_running(current, calendar) or current.start is None or earlier.start is None:
        return earlier
    days = (calendar.tomorrow - current.start).days
    end = calendar.step(earlier.start, "day", days)
    return Period(start=earlier.start, end=min(end, earlier.end) if earlier.end else end)
