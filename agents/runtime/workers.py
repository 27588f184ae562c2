"""Daemon threads for blocking calls: used again while there is work, gone when there is none, never waited
for when the process ends.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

_IDLE_S = 5.0
_lock = threading.Lock()
_idle: list[_Worker] = []


# What is called must not raise; what it returns tells that it has ended.
Call = Callable[[], Callable[[], object]]


class _Worker:
    """One thread; it makes the call that it is handed, and is idle again."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Call | None] = SimpleQueue()
        self.thread = threading.Thread(target=self._work, name="blocking calls", daemon=True)
        self.thread.start()

    def make(self, call: Call | None) -> None:
        """Make a call, or with None end."""
        self._calls.put(call)

    def _work(self) -> None:
        while True:
            try:
                call = self._calls.get(timeout=_IDLE_S)
            except Empty:
                with _lock:
                    if self in _idle:
                        _idle.remove(self)
                        return
                # It was taken for a call in this moment.
                continue
            if call is None:
                return
            tell = call()
            # First idle, then said: who hears that the call has ended can dismiss its thread.
            with _lock:
                _idle.append(self)
            tell()


def call(function: Call) -> None:
    """Make a call in a thread."""
    with _lock:
        worker = _idle.pop() if _idle else None
    (worker or _Worker()).make(function)


def dismiss() -> None:
    """End the threads that have nothing to do."""
    with _lock:
        gone = list(_idle)
        _idle.clear()
    for worker in gone:
        worker.make(None)
    for worker in gone:
        worker.thread.join()


def _forget() -> None:
    """A forked child has its parent's list, but not the threads in it."""
    global _lock
    _lock = threading.Lock()
    _idle.clear()


os.register_at_fork(after_in_child=_forget)
