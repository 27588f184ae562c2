"""ClickHouse's functions for the first moment of a period and the parts of one."""

from __future__ import annotations

_START_OF = {
    "year": "toStartOfYear",
    "quarter": "toStartOfQuarter",
    "month": "toStartOfMonth",
    "week": "toMonday",
    "day": "toDate",
    "hour": "toStartOfHour",
    "minute": "toStartOfMinute",
}

PARTS = {
    "hour_of_day": "toHour",
    "weekday": "toDayOfWeek",
    "day_of_month": "toDayOfMonth",
    "month_of_year": "toMonth",
}


def start_of(grain: str, moment: str) -> str:
    """SQL for the period's start, of SQL for a moment; a date for a day and what is coarser."""
    if grain in _START_OF:
        return f"{_START_OF[grain]}({moment})"
    return f"toStartOfInterval({moment}, INTERVAL 1 {grain})"
