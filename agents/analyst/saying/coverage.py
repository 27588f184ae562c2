"""What the figures cover: the time asked for, the days with data, and now; what is partial is said to be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from dateutil.relativedelta import relativedelta

from agents.analyst.grammar.when import Calendar
from agents.analyst.intent import Every, Intent, Mean, Period, QuantileOf
from agents.analyst.saying.table import ColumnMeaning, Table, show_time
from agents.analyst.saying.texts import say

Range = tuple[datetime, datetime]
# Figures are kept by the minute, so a range that ends with the current one is over.
_TICK = timedelta(minutes=1)


@dataclass(frozen=True)
class Coverage:
    """`asked` is the time asked for, None for all the data; `days` are the first and the last day with data,
    None where they are not known. `before` is the time compared with, `mean_over` the grain that figures are
    means over, `undated` that there is data and none of it has a time.
    """

    calendar: Calendar
    asked: Period | None = None
    days: tuple[date, date] | None = None
    before: Period | None = None
    mean_over: str = ""
    undated: bool = False

    @classmethod
    def of(
        cls, intent: Intent, calendar: Calendar, days: tuple[date, date] | None = None, undated: bool = False
    ) -> Coverage:
        return cls(calendar, intent.window, days, intent.against, _mean_over(intent), undated)

    @property
    def known(self) -> Range | None:
        """From the first day with data to the end of the last, or to now within it."""
        if self.days is None:
            return None
        first, last = (datetime.combine(day, time(), UTC) for day in self.days)
        return first, min(last + timedelta(days=1), self.calendar.now + _TICK)

    @property
    def covered(self) -> Range | None:
        """What was asked for and has data; None where either end is not known."""
        starts = [one for one in (self.asked and self.asked.start, self.known and self.known[0]) if one]
        ends = [one for one in (self.asked and self.asked.end, self.known and self.known[1]) if one]
        return (max(starts), min(ends)) if starts and ends else None

    @property
    def dates(self) -> list[date]:
        """The days that a text may name: where what was asked for and the data begin and end, and where the
        first and the last period of a mean begin.
        """
        found = [one for one in (self.asked, self.before) if one]
        starts = [one.start for one in found if one.start]
        ends = [one.end for one in found if one.end]
        if self.known:
            starts.append(self.known[0])
            ends.append(self.known[1])
        periods = self.periods(self.mean_over) if self.mean_over else []
        starts += [one[0] for one in (*periods[:1], *periods[-1:])]
        return [moment.date() for moment in [*starts, *(end - timedelta(microseconds=1) for end in ends)]]

    def is_whole(self, period: Range) -> bool:
        """Whether all of a period was asked for, is over and lies within the days with data."""
        covered = self.covered
        over = period[1] <= self.calendar.now + _TICK
        return over and (covered is None or (period[0] >= covered[0] and period[1] <= covered[1]))

    def may_change(self, period: Range, column: ColumnMeaning, grain: str) -> bool:
        """Whether a period and the one that its change is from are over and within the days with data."""
        back, known = self.before_it(period, column, grain)[0], self.known
        return known is None or (known[0] <= back and period[1] <= min(known[1], self.calendar.now + _TICK))

    def knows_before(self, period: Range) -> bool:
        """Whether there is data of all that a period is compared with."""
        asked, before, known = self.asked, self.before, self.known
        if not (asked and asked.start and before and before.start and known):
            return True
        alike = asked.start.day == before.start.day
        apart = relativedelta(asked.start, before.start) if alike else asked.start - before.start
        return max(period[0], asked.start) - apart >= known[0]

    def before_it(self, period: Range, column: ColumnMeaning, grain: str) -> Range:
        """The period that a change is from."""
        return self.around(
            self.calendar.step(period[0], "year" if column.steps == "year" else grain, -1), grain
        )

    def around(self, moment: datetime, grain: str) -> Range:
        """The period of a grain that a moment lies in."""
        start = self.calendar.floor(moment, grain)
        return start, self.calendar.step(start, grain)

    def periods(self, grain: str) -> list[Range]:
        """The periods of a grain that what is covered touches."""
        if self.covered is None or self.covered[0] >= self.covered[1]:
            return []
        found = [self.around(self.covered[0], grain)]
        while found[-1][1] < self.covered[1]:
            found.append(self.around(found[-1][1], grain))
        return found

    def period_of(self, table: Table, row: int) -> Range | None:
        """The period that a row is of, where it is one of the metrics' own time."""
        column = next((one for one in table.of_role("time") if one.own), None)
        cell = table.rows[row][table.index(column.name)] if column else None
        if column is None or cell is None:
            return None
        return self.around(datetime.fromisoformat(str(cell)).replace(tzinfo=UTC), column.grain)


def settled(table: Table, coverage: Coverage) -> Table:
    """Without the changes from or to a period that is not whole: a half is never compared with a whole. Of
    what lies before the data nothing is known, and that is no 0.
    """
    times = [column for column in table.of_role("time") if column.own]
    steps = [table.index(column.name) for column in table.columns if column.steps]
    sides = [at for at, column in enumerate(table.columns) if column.part != "value"]
    if not times or not (steps or sides) or coverage.known is None:
        return table
    rows = [list(row) for row in table.rows]
    for number, row in enumerate(rows):
        period = coverage.period_of(table, number)
        for at in steps:
            if period and not coverage.may_change(period, table.columns[at], times[0].grain):
                row[at] = None
        for at in sides:
            if period and not coverage.knows_before(period):
                row[at] = None
    return replace(table, rows=tuple(map(tuple, rows)))


def grain_of(table: Table) -> str:
    """The grain of the metrics' own time in a result; empty when it is not split by time."""
    return next((one.grain for one in table.of_role("time") if one.own), "")


def halves(table: Table, coverage: Coverage, language: str) -> list[str]:
    """What must be said of a result's periods that are covered only in part."""
    if coverage.before:
        return _compared_halves(coverage, coverage.before, language)
    rows = [coverage.period_of(table, row) for row in range(len(table.rows))]
    mean, grain = coverage.mean_over, coverage.mean_over or grain_of(table)
    periods = coverage.periods(mean) if mean else sorted({one for one in rows if one})
    parts = [_part(coverage, one, grain, language) for one in periods if not coverage.is_whole(one)]
    if parts:
        # Only the first and the last can be partial, or those that have not begun.
        shown = parts if len(parts) < 4 else [*parts[:2], "…", parts[-1]]
        return [say("part", language, say("join", language).join(shown))]
    if coverage.known is None or coverage.days is None or coverage.asked is None:
        return []
    first, last = coverage.days
    start, end = coverage.asked.start, coverage.asked.end
    notes = [say("since", language, f"{first}")] if start and start < coverage.known[0] else []
    # What ends today ends with the data.
    ends = end and end > coverage.known[1] and last < coverage.calendar.now.date()
    return notes + ([say("until", language, f"{last}")] if ends else [])


def _compared_halves(coverage: Coverage, before: Period, language: str) -> list[str]:
    if coverage.known is None or coverage.days is None:
        return []
    first, last = coverage.days
    end = coverage.asked.end if coverage.asked else None
    notes: list[str] = []
    if end and end > coverage.known[1] and last < coverage.calendar.now.date():
        notes.append(say("until", language, f"{last}"))
    if before.start and before.start < coverage.known[0]:
        notes.append(say("begins", language, f"{first}"))
    return notes


def _part(coverage: Coverage, period: Range, grain: str, language: str) -> str:
    """The name of a period that is not whole, with what there is of it."""
    name = show_time(period[0].replace(tzinfo=None).isoformat(), grain)
    covered = coverage.covered
    if covered is None or coverage.calendar.now < period[0]:
        return name
    first = f"{covered[0]:%Y-%m-%d}" if covered[0] > period[0] else ""
    last = f"{covered[1] - timedelta(microseconds=1):%Y-%m-%d}" if covered[1] < period[1] else ""
    if grain in ("day", "hour", "minute"):
        return say("part_now", language, name) if last else name
    if first and last:
        return say("part_between", language, name, first, last)
    return say("part_from", language, name, first) if first else say("part_to", language, name, last)


def _mean_over(intent: Intent) -> str:
    """The grain that a figure is a mean or a median over."""
    for measure in intent.measures:
        if isinstance(measure, Mean | QuantileOf) and isinstance(measure.per, Every):
            return measure.per.grain
    return ""
