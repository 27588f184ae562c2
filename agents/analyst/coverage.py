"""What the figures cover: the range asked for, the days with data, and now; what is partial is said to be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from agents.analyst.linker.times import delta, floor
from agents.analyst.linker.wording import say
from agents.analyst.table import Table, show_time
from warehouse.semantic.model import METRIC_TIME

Range = tuple[datetime, datetime]
# Figures are kept by the minute, so a range that ends with the current one is over.
_TICK = timedelta(minutes=1)


@dataclass(frozen=True)
class Coverage:
    """`asked` is the half-open range asked for, None for all the data; `days` are the first and the last day
    with data, None where they are not known. `previous` is the range compared with, `average_per` the grain
    that the figures are means over, `undated` that there is data and none of it has a time. Times are UTC.
    """

    now: datetime
    asked: Range | None = None
    days: tuple[date, date] | None = None
    previous: Range | None = None
    average_per: str = ""
    undated: bool = False

    @property
    def known(self) -> Range | None:
        """From the first day with data to the end of the last, or to now within it."""
        if self.days is None:
            return None
        first, last = (datetime.combine(day, time(), UTC) for day in self.days)
        return first, min(last + timedelta(days=1), self.now + _TICK)

    @property
    def covered(self) -> Range | None:
        """What was asked for and has data."""
        ranges = [one for one in (self.asked, self.known) if one]
        return (max(one[0] for one in ranges), min(one[1] for one in ranges)) if ranges else None

    @property
    def dates(self) -> list[date]:
        """The days that a text may name: where what was asked for and the data begin and end, and where the
        first and the last period of a mean begin.
        """
        ranges = [one for one in (self.asked, self.known, self.previous) if one]
        ends = [one[1] - timedelta(microseconds=1) for one in ranges]
        periods = self.periods(self.average_per) if self.average_per else []
        starts = [one[0] for one in (*ranges, *periods[:1], *periods[-1:])]
        return [moment.date() for moment in [*starts, *ends]]

    def is_whole(self, period: Range) -> bool:
        """Whether all of a period was asked for, is over and lies within the days with data."""
        covered = self.covered
        over = period[1] <= self.now + _TICK
        return over and (covered is None or (period[0] >= covered[0] and period[1] <= covered[1]))

    def periods(self, grain: str) -> list[Range]:
        """The periods of a grain that what is covered touches."""
        if self.covered is None or self.covered[0] >= self.covered[1]:
            return []
        found = [around(self.covered[0], grain)]
        while found[-1][1] < self.covered[1]:
            found.append(around(found[-1][1], grain))
        return found


def around(moment: datetime, grain: str) -> Range:
    """The period of a grain that a moment lies in."""
    start = floor(moment, grain)
    return start, start + delta(grain, 1)


def period_of(table: Table, row: int) -> Range | None:
    """The period that a row is of, where it is one of the metrics' own time."""
    time_column = _own_time(table)
    cell = table.rows[row][table.index(time_column)] if time_column else None
    if cell is None:
        return None
    return around(datetime.fromisoformat(str(cell)).replace(tzinfo=UTC), grain_of(table))


def grain_of(table: Table) -> str:
    """The grain of the metrics' own time in a result; empty when it is not split by time."""
    return next((one.grain for one in table.of_role("time") if one.name == _own_time(table)), "")


def _own_time(table: Table) -> str:
    own = (one.name for one in table.of_role("time") if one.name.startswith(f"{METRIC_TIME}__"))
    return next(own, "")


def halves(table: Table, coverage: Coverage, language: str) -> list[str]:
    """What must be said of a result's periods that are covered only in part."""
    if coverage.previous and coverage.asked:
        return _compared_halves(coverage, coverage.asked, coverage.previous, language)
    rows = [period_of(table, row) for row in range(len(table.rows))]
    mean, grain = coverage.average_per, coverage.average_per or grain_of(table)
    periods = coverage.periods(mean) if mean else sorted({one for one in rows if one})
    parts = [_part(coverage, one, grain, language) for one in periods if not coverage.is_whole(one)]
    if parts:
        # Only the first and the last can be partial, or those that have not begun.
        shown = parts if len(parts) < 4 else [*parts[:2], "…", parts[-1]]
        return [say("part", language, say("join", language).join(shown))]
    if coverage.known is None or coverage.days is None or coverage.asked is None:
        return []
    first, last = coverage.days
    notes = [say("since", language, f"{first}")] if coverage.asked[0] < coverage.known[0] else []
    return notes + ([say("running", language, f"{last}")] if coverage.asked[1] > coverage.known[1] else [])


def _compared_halves(coverage: Coverage, asked: Range, previous: Range, language: str) -> list[str]:
    notes: list[str] = []
    if coverage.known and coverage.days:
        if not coverage.is_whole(asked):
            last = coverage.known[1] - timedelta(microseconds=1)
            notes.append(say("half", language, f"{last:%Y-%m-%d}"))
        if previous[0] < coverage.known[0]:
            notes.append(say("begins", language, f"{coverage.days[0]}"))
    return notes


def _part(coverage: Coverage, period: Range, grain: str, language: str) -> str:
    """The name of a period that is not whole, with what there is of it."""
    name = show_time(period[0].replace(tzinfo=None).isoformat(), grain)
    covered = coverage.covered
    if covered is None or coverage.now < period[0]:
        return name
    first = f"{covered[0]:%Y-%m-%d}" if covered[0] > period[0] else ""
    last = f"{covered[1] - timedelta(microseconds=1):%Y-%m-%d}" if covered[1] < period[1] else ""
    if grain in ("day", "hour", "minute"):
        return say("part_now", language, name) if last else name
    if first and last:
        return say("part_between", language, name, first, last)
    return say("part_from", language, name, first) if first else say("part_to", language, name, last)
