"""What holds where a figure is computed: conditions, a stretch of time, and how far back it is taken from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from agents.analyst.grammar.when import Calendar
from agents.analyst.intent import Condition, Period
from warehouse.errors import SemanticError


@dataclass(frozen=True)
class Shift:
    """Figures of so many units before, under the periods that they are compared with. In a series nothing is
    known of the time before it began, and an earlier figure alone makes no row.
    """

    unit: str
    count: int
    in_series: bool = False


@dataclass(frozen=True)
class Context:
    where: tuple[Condition, ...] = ()
    window: Period | None = None
    shift: Shift | None = None

    def sliced(self, where: Condition | None, window: Period | None) -> Context:
        """Of only some of the rows. Raises `SemanticError` where no time is left."""
        conditions = (*self.where, where) if where is not None else self.where
        return replace(self, where=conditions, window=both(self.window, window))

    def back(self, unit: str, count: int, grain: str, calendar: Calendar) -> Context:
        """A series so many units earlier; its last period as a whole, be the later one over or not."""
        if self.shift:
            raise SemanticError(
                "A change along a series is a comparison already, so it is not compared with another time. "
                "Ask for the figures themselves in both."
            )
        window = self.window
        if window:
            end = window.end
            if end and calendar.floor(end, grain) < end:
                end = calendar.step(calendar.floor(end, grain), grain)
            window = Period(
                start=window.start and calendar.step(window.start, unit, -count),
                end=end and calendar.step(end, unit, -count),
            )
        return replace(self, window=window, shift=Shift(unit, count, in_series=True))


def both(one: Period | None, other: Period | None) -> Period | None:
    """The time that lies in both periods."""
    if one is None or other is None:
        return one or other
    starts = [period.start for period in (one, other) if period.start]
    ends = [period.end for period in (one, other) if period.end]
    start, end = max(starts, default=None), min(ends, default=None)
    if start and end and start >= end:
        raise SemanticError(f"{shown(one)} and {shown(other)} have no time in common. Ask for one of them.")
    return Period(start=start, end=end)


def shown(period: Period) -> str:
    """A period in as few words as it can be named in: 2026-08, 2026-08-01, 2026-08-01/2026-08-15 (the last
    day is in it).
    """
    start, end = period.start, period.end
    if start is None or end is None:
        return f"{start:%Y-%m-%d}/.." if start else f"../{end - timedelta(days=1):%Y-%m-%d}" if end else ".."
    if any((moment.hour, moment.minute, moment.second) != (0, 0, 0) for moment in (start, end)):
        return f"{start:%Y-%m-%dT%H:%M}/{end:%Y-%m-%dT%H:%M}"
    last = end - timedelta(days=1)
    if last == start:
        return f"{start:%Y-%m-%d}"
    if start.day == 1 and end.day == 1:
        months = (end.year - start.year) * 12 + end.month - start.month
        if months == 1:
            return f"{start:%Y-%m}"
        if months == 12 and start.month == 1:
            return f"{start:%Y}"
    return f"{start:%Y-%m-%d}/{last:%Y-%m-%d}"
