"""Days with a name, of a year: those that move are the holidays library's, shops' own days are data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from agents.analyst.grammar.when import Calendar, NoTime, Recurring, Unit, When
from agents.analyst.intent import Period

_FILE = Path(__file__).with_name("festivals.yml")


@dataclass(frozen=True)
class Festival(Recurring):
    """`day`: its first day alone, of those that last longer."""

    name: str
    day: bool = False
    of_unit = "year"
    assumes = "festival"

    def within(self, frame: When) -> When:
        return FestivalOf(frame, self.name, self.day)

    @property
    def days(self) -> int:
        return 1 if self.day else _days(self.name)

    @property
    def size(self) -> str:
        return "day" if self.days == 1 and not is_season(self.name) else ""


@dataclass(frozen=True)
class FestivalOf(When):
    of: When
    name: str
    day: bool = False
    assumes = "festival"

    def at(self, calendar: Calendar) -> Period:
        year = self.of.at(calendar).start
        first = year and _first_day(self.name, year.year)
        if first is None:
            raise NoTime("impossible", self.name)
        return Period(start=first, end=first + timedelta(days=1) if self.day else _end(self.name, first))

    @property
    def size(self) -> str:
        return Festival(self.name, self.day).size


@dataclass(frozen=True)
class LastSeason(When):
    """The season before this one. In November last summer may be this year's or the one before."""

    name: str
    assumes = "festival"
    size = ""

    def at(self, calendar: Calendar) -> Period:
        newest = Festival(self.name).at(calendar)
        if newest.end and newest.end <= calendar.now and newest.end.year == calendar.now.year:
            if newest.start and newest.start.year == newest.end.year:
                raise NoTime("ambiguous", f"last {self.name}")
            return newest
        year = newest.start.year - 1 if newest.start and newest.end and newest.end > calendar.now else None
        return (
            Festival(self.name).within(Unit("year", year - calendar.now.year)).at(calendar)
            if year
            else newest
        )


def is_season(name: str) -> bool:
    return "until" in _known()[name]


@cache
def _known() -> dict[str, dict[str, Any]]:
    known: dict[str, dict[str, Any]] = yaml.load(_FILE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    return known


def _end(name: str, first: datetime) -> datetime:
    if not is_season(name):
        return first + timedelta(days=_days(name))
    month, day = map(int, _known()[name]["until"].split("-"))
    return datetime(first.year + ((month, day) <= (first.month, first.day)), month, day, tzinfo=UTC)


def _days(name: str) -> int:
    return int(_known()[name].get("days", 1))


@cache
def _first_day(name: str, year: int) -> datetime | None:
    """None where the library knows no such day of that year."""
    told = _known()[name]
    if "day" in told:
        month, day = told["day"].split("-")
        return datetime(year, int(month), int(day), tzinfo=UTC)
    import holidays  # 0.4 s, for those who name such a day

    days = holidays.country_holidays(told["country"], years=year, language="en_US").get_named(
        told["named"], lookup="exact"
    )
    if not days:
        return None
    first = min(days)
    return datetime(first.year, first.month, first.day, tzinfo=UTC) + timedelta(
        days=int(told.get("after", 0))
    )
