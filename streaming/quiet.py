"""Keeps a log readable when the same thing goes wrong ten thousand times."""

from __future__ import annotations

import logging
import time


class OncePer(logging.Filter):
    """Lets each message (by its template) through once in so many seconds, with how often it came since."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._seen: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now, template = time.monotonic(), str(record.msg)
        since, held_back = self._seen.get(template, (-self._seconds, 0))
        if now - since < self._seconds:
            self._seen[template] = (since, held_back + 1)
            return False
        self._seen[template] = (now, 0)
        if held_back:
            record.msg = f"{template} (and {held_back} times since this was last said)"
        return True
