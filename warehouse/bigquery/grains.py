"""BigQuery's functions for periods."""

from __future__ import annotations

_DATES = ("year", "quarter", "month", "week", "day")


def start_of(grain: str, moment: str) -> str:
    """SQL for the period's start, of SQL for a moment; a date for a day and what is coarser."""
    if grain == "day":
        return f"CAST({moment} AS DATE)"
    if grain == "week":
        # Counted, since an emulator takes ISOWEEK for an error and WEEK(MONDAY) for a Sunday.
        day = f"CAST({moment} AS DATE)"
        return f"DATE_SUB({day}, INTERVAL MOD(EXTRACT(DAYOFWEEK FROM {day}) + 5, 7) DAY)"
    if grain in _DATES:
        return f"DATE_TRUNC(CAST({moment} AS DATE), {grain.upper()})"
    return f"TIMESTAMP_TRUNC(CAST({moment} AS TIMESTAMP), {grain.upper()})"


def shifted(moment: str, grain: str, steps: str) -> str:
    """SQL for a period's start so many periods later, where `moment` is what `start_of(grain)` gives."""
    return f"{'DATE' if grain in _DATES else 'TIMESTAMP'}_ADD({moment}, INTERVAL {steps} {grain.upper()})"
