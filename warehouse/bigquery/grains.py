"""BigQuery's functions for periods."""

from __future__ import annotations

_DATES = ("year", "quarter", "month", "week", "day")


def start_of(grain: str, moment: str) -> str:
    """SQL for the period's start, of SQL for a moment; a date for a day and what is coarser."""
    if grain == "day":
        return f"CAST({moment} AS DATE)"
    if grain == "week":
        # From the day before, a Sunday's number is one: an emulator knows no ISOWEEK, and takes WEEK(MONDAY)
        # for a Sunday.
        day = f"CAST({moment} AS DATE)"
        into = f"(EXTRACT(DAYOFWEEK FROM DATE_SUB({day}, INTERVAL 1 DAY)))"
        return f"DATE_ADD(DATE_SUB({day}, INTERVAL {into} DAY), INTERVAL 1 DAY)"
    if grain in _DATES:
        return f"DATE_TRUNC(CAST({moment} AS DATE), {grain.upper()})"
    return f"TIMESTAMP_TRUNC(CAST({moment} AS TIMESTAMP), {grain.upper()})"


def shifted(moment: str, grain: str, steps: int) -> str:
    """SQL for a period's start so many periods later, where `moment` is what `start_of(grain)` gives."""
    kind, way = "DATE" if grain in _DATES else "TIMESTAMP", "SUB" if steps < 0 else "ADD"
    return f"{kind}_{way}({moment}, INTERVAL {abs(steps)} {grain.upper()})"


def part_of(part: str, moment: str) -> str:
    """SQL for the number of a weekday (1 is Monday), hour, day or month."""
    if part == "weekday":
        # BigQuery counts from Sunday.
        return f"EXTRACT(DAYOFWEEK FROM DATE_SUB(CAST({moment} AS DATE), INTERVAL 1 DAY))"
    return f"EXTRACT({part.partition('_')[0].upper()} FROM {moment})"
