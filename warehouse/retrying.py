"""Reads are tried again while the server is away or has too much to do, on every engine in the same way."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from warehouse.errors import OverloadedError, UnreachableError

_WAITS = (0.3, 1.0, 2.0)
_T = TypeVar("_T")


def retried(read: Callable[[], _T]) -> _T:
    """What `read` gives, after four attempts at most. One that somebody ended is not begun again."""
    for wait in _WAITS:
        try:
            return read()
        except (UnreachableError, OverloadedError):
            time.sleep(wait)
    return read()
