"""One value of a row as it is compared: a number, a text folded, a moment, or nothing."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from math import isclose, isfinite
from typing import Any

Cell = float | str | datetime | None
# What sums of floats in another order, and decimals cut by a division, differ by.
_RELATIVE, _ABSOLUTE = 1e-6, 1e-9
# A month is its first day.
_MONTH = re.compile(r"\d{4}-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?(Z|\+00:00)?")
_WEEKDAYS = (
    ("monday", "mon", "周一", "星期一"),
    ("tuesday", "tue", "周二", "星期二"),
    ("wednesday", "wed", "周三", "星期三"),
    ("thursday", "thu", "周四", "星期四"),
    ("friday", "fri", "周五", "星期五"),
    ("saturday", "sat", "周六", "星期六"),
    ("sunday", "sun", "周日", "星期日"),
)
_NUMBER_OF = {name: float(number) for number, names in enumerate(_WEEKDAYS, start=1) for name in names}
_NOTHING = ("", "null", "none", "unknown", "(none)")


def cell(value: Any) -> Cell:
    """A value of any warehouse's or answer's. A weekday is its number from Monday, true is 1; a text without
    anything in it is nothing.
    """
    if isinstance(value, bool | int | float | Decimal):
        number = float(value)
        return number if isfinite(number) else None
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if value is None:
        return None
    text = str(value).strip().casefold()
    if text in _NOTHING:
        return None
    if _MONTH.fullmatch(text):
        return datetime.fromisoformat(f"{text}-01")
    if _MOMENT.fullmatch(text.upper()):
        return datetime.fromisoformat(text.upper()).replace(tzinfo=None)
    return _NUMBER_OF.get(text, text)


def is_time(value: Cell) -> bool:
    return isinstance(value, datetime)


def same(one: Cell, other: Cell) -> bool:
    """Whether two values are the same, two numbers but for how floats are added."""
    if isinstance(one, float) and isinstance(other, float):
        return isclose(one, other, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
    return one == other
