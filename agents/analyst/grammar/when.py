"""When: expressions of time as people say them, and the stretch of time that each is at one moment.

Everything is half-open and UTC. `Stretch` is the algebra of parts: October is month 10 of a year, its first
ten days are days 1 to 10 of it, the last two weeks of it weeks -2 to -1. What recurs (October, Friday,
Christmas) is, without a frame, the newest that has begun.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from dateutil.relativedelta import relativedelta

from agents.analyst.intent import Period

SIZES = ("minute", "hour", "day", "week", "half_month", "month", "quarter", "half", "year")
_MONTHS = {"month": 1, "quarter": 3, "half": 6, "year": 12}
# A part of a larger time, from large to small: (("month", 10, 10), ("day", 1, 10)) are days 1-10 of October.
Parts = tuple[tuple[str, int, int], ...]


class NoTime(Exception):
    """Raised for words of time that are no period: `key` says why (impossible, ahead, ambiguous, vague,
    fiscal, empty, several, minutes), `readings` are the periods that they may be instead.
    """

    def __init__(self, key: str, *values: str, readings: tuple[Period, ...] = ()) -> None:
        super().__init__(key, *values)
        self.key, self.values, self.readings = key, values, readings


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
        months = _MONTHS.get(unit)
        return day if months is None else day.replace(day=1, month=(day.month - 1) // months * months + 1)

    def step(self, moment: datetime, unit: str, count: int = 1) -> datetime:
        if months := _MONTHS.get(unit):
            return moment + relativedelta(months=months * count)
        return moment + timedelta(**{f"{unit}s": count})

    @property
    def today(self) -> datetime:
        return self.floor(self.now, "day")

    @property
    def tomorrow(self) -> datetime:
        return self.step(self.today, "day")


class When:
    """An expression of time. `assumes`: what a reader has to be told of how it was read, if anything."""

    assumes: ClassVar[str] = ""

    def at(self, calendar: Calendar) -> Period:
        """The stretch that it is, all of it, running or not. Raises `NoTime`."""
        raise NotImplementedError

    @property
    def size(self) -> str:
        """The unit that it is one of, where parts can be taken of it; else empty."""
        return ""


class Recurring(When):
    """What comes again in each `of_unit`: without a frame it is the newest that has begun."""

    of_unit: str
    assumes = "latest"

    def within(self, frame: When) -> When:
        """The one of this frame."""
        raise NotImplementedError

    def at(self, calendar: Calendar) -> Period:
        return self.preceding(calendar.now, calendar)

    def preceding(self, moment: datetime, calendar: Calendar) -> Period:
        """The newest that begins by a moment."""
        for period in self._around(moment, calendar, -1):
            if period.start and period.start <= moment:
                return period
        raise NoTime("impossible")

    def following(self, moment: datetime, calendar: Calendar) -> Period:
        """The first that ends after a moment."""
        for period in self._around(moment, calendar, 1):
            if period.end and period.end > moment:
                return period
        raise NoTime("impossible")

    def _around(self, moment: datetime, calendar: Calendar, direction: int) -> Iterator[Period]:
        floor = calendar.floor(moment, self.of_unit)
        # One more to the other side: a week belongs to a year that it does not begin in.
        for count in range(-1, 9):
            start = calendar.step(floor, self.of_unit, direction * count)
            try:
                yield self.within(Fixed(start, calendar.step(start, self.of_unit))).at(calendar)
            except NoTime:
                continue  # 29 February is not in every year.


@dataclass(frozen=True)
class Fixed(When):
    """From one moment to another."""

    start: datetime
    end: datetime

    def at(self, calendar: Calendar) -> Period:
        return Period(start=self.start, end=self.end)


@dataclass(frozen=True)
class Unit(When):
    """The calendar unit so many before (-1: last) or after the running one."""

    unit: str
    offset: int = 0

    def at(self, calendar: Calendar) -> Period:
        start = calendar.step(calendar.floor(calendar.now, self.unit), self.unit, self.offset)
        return Period(start=start, end=calendar.step(start, self.unit))

    @property
    def size(self) -> str:
        return self.unit


@dataclass(frozen=True)
class Year(When):
    number: int

    def at(self, calendar: Calendar) -> Period:
        start = datetime(self.number, 1, 1, tzinfo=UTC)
        return Period(start=start, end=calendar.step(start, "year"))

    @property
    def size(self) -> str:
        return "year"


@dataclass(frozen=True)
class Stretch(When):
    """The units `first` to `last` of a time, counted from 1; from its end they are -1, -2. A week is of the
    time that it begins in and lies in for the most part; `weekday 5` counts the Fridays.
    """

    of: When
    unit: str
    first: int
    last: int

    def at(self, calendar: Calendar) -> Period:
        whole = self.of.at(calendar)
        if whole.start is None or whole.end is None:
            raise NoTime("impossible")
        if self.unit == "week" and self.first == 1 < self.last:
            # The first two weeks are fourteen days.
            return Period(start=whole.start, end=calendar.step(whole.start, "week", self.last))
        if self.unit == "week" and self.first < self.last == -1:
            return Period(start=calendar.step(whole.end, "week", self.first), end=whole.end)
        pieces = list(_pieces(whole.start, whole.end, self.unit, calendar))
        first, last = self._index(self.first, len(pieces)), self._index(self.last, len(pieces))
        if not 0 <= first <= last < len(pieces):
            raise NoTime("impossible")
        return Period(start=pieces[first][0], end=pieces[last][1])

    def _index(self, counted: int, length: int) -> int:
        return counted - 1 if counted > 0 else length + counted

    @property
    def size(self) -> str:
        return self.unit if self.first == self.last else ""


def _pieces(
    start: datetime, end: datetime, unit: str, calendar: Calendar
) -> Iterator[tuple[datetime, datetime]]:
    kind, _, weekday = unit.partition(" ")
    if kind == "half_month":
        middle = calendar.step(start, "day", 15)
        yield from ((start, middle), (middle, end))
        return
    by = "day" if kind == "weekday" else kind
    at = calendar.floor(start, by)
    while at < end:
        after = calendar.step(at, by)
        # Of a week that begins in March and is April's for the most part, nobody says the last of March.
        short = kind == "week" and end - at < timedelta(days=4)
        if at >= start and not short and (kind != "weekday" or at.isoweekday() == int(weekday)):
            yield at, after
        at = after


@dataclass(frozen=True)
class Latest(Recurring):
    """Parts of a year, month or week that is not named."""

    of_unit: str
    parts: Parts

    def within(self, frame: When) -> When:
        for unit, first, last in self.parts:
            frame = Stretch(frame, unit, first, last)
        return frame

    @property
    def size(self) -> str:
        unit, first, last = self.parts[-1]
        return unit if first == last else ""


@dataclass(frozen=True)
class Weekdays(Recurring):
    """The weekdays `first` to `last` (1 is Monday) of a week. `past`: of those that are not today."""

    first: int
    last: int
    past: bool = False
    of_unit = "week"

    def at(self, calendar: Calendar) -> Period:
        return self.preceding(
            calendar.step(calendar.today, "day", -1) if self.past else calendar.now, calendar
        )

    def within(self, frame: When) -> When:
        return WeekdaysOf(frame, self.first, self.last)

    @property
    def size(self) -> str:
        return "day" if self.first == self.last else ""


@dataclass(frozen=True)
class WeekdaysOf(When):
    of: When
    first: int
    last: int

    def at(self, calendar: Calendar) -> Period:
        week = self.of.at(calendar).start
        if week is None:
            raise NoTime("impossible")
        start = calendar.step(week, "day", (self.first - 1 - week.weekday()) % 7)
        return Period(start=start, end=calendar.step(start, "day", (self.last - self.first) % 7 + 1))

    @property
    def size(self) -> str:
        return "day" if self.first == self.last else ""


@dataclass(frozen=True)
class Numbered(Recurring):
    """A week by its number in the year: ISO's where weeks begin on Monday, else the first has 1 January."""

    number: int
    of_unit = "year"

    def within(self, frame: When) -> When:
        return NumberedOf(frame, self.number)

    @property
    def size(self) -> str:
        return "week"


@dataclass(frozen=True)
class NumberedOf(When):
    of: When
    number: int

    def at(self, calendar: Calendar) -> Period:
        year = self.of.at(calendar).start
        if year is None or self.number > 53:
            raise NoTime("impossible")
        inside = year.replace(day=4) if calendar.week_start == 0 else year
        start = calendar.step(calendar.floor(inside, "week"), "week", self.number - 1)
        if (
            self.number == 53
            and calendar.step(start, "day", 3 if calendar.week_start == 0 else 0).year > year.year
        ):
            raise NoTime("impossible")
        return Period(start=start, end=calendar.step(start, "week"))

    @property
    def size(self) -> str:
        return "week"


@dataclass(frozen=True)
class Around(When):
    """The unit that a time lies in: the week of 12 October."""

    unit: str
    of: When

    def at(self, calendar: Calendar) -> Period:
        inside = self.of.at(calendar).start
        if inside is None:
            raise NoTime("impossible")
        start = calendar.floor(inside, self.unit)
        return Period(start=start, end=calendar.step(start, self.unit))

    @property
    def size(self) -> str:
        return self.unit
