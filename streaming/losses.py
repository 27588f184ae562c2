"""Counts what had to be dropped, until it can be said in the stream itself."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime

from streaming.messages import dead_letter
from streaming.records import iso
from streaming.spool import Message


class Losses:
    """Thread-safe. What is counted is reported once, in one dead letter a topic and reason."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str], list[datetime]] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        self.total = 0

    def __bool__(self) -> bool:
        """Whether something has not been reported yet."""
        return bool(self._open)

    def add(self, topic: str, count: int, why: str) -> None:
        """`count` records of the topic were dropped just now."""
        now = datetime.now(UTC)
        with self._lock:
            self._open.setdefault((topic, why), [now, now])[1] = now
            self._counts[topic, why] += count
            self.total += count

    def letters(self) -> list[Message]:
        """Dead letters that say what was dropped, when and why; it counts as reported from now on."""
        with self._lock:
            told = [
                dead_letter(
                    topic,
                    f"{self._counts[topic, why]} records dropped between {iso(first)} and {iso(last)}: {why}",
                )
                for (topic, why), (first, last) in self._open.items()
            ]
            self._open.clear()
            self._counts.clear()
        return told
