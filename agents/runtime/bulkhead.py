"""Calls that can be given up but not ended: each goes on by itself, counted, and only so many at once."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from agents.runtime import workers
from agents.runtime.errors import TransientError
from agents.runtime.eventloops import Call, Loops

T = TypeVar("T")
_LOOPS = Loops("tools")
_log = logging.getLogger(__name__)


class Bulkhead:
    """Runs calls of one kind. Who stops waiting for one (a timeout, a cancelled run) is free at once; what
    goes on behind counts as given up until it ends, and no call is begun while `limit` of them do.
    """

    def __init__(self, name: str, limit: int) -> None:
        self._name = name
        self._limit = limit
        self._given_up: set[object] = set()
        self._lock = threading.Lock()

    @property
    def given_up(self) -> int:
        """How many calls were given up and have not ended."""
        with self._lock:
            return len(self._given_up)

    async def threaded(self, function: Callable[[], T]) -> T:
        """Call a blocking function in a thread, which cannot keep the process from ending."""
        self._admit()
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[T] = loop.create_future()
        context = contextvars.copy_context()
        going: set[object] = {ended}

        def settle(value: Any, error: BaseException | None) -> None:
            if ended.cancelled():
                return
            if error is None:
                ended.set_result(value)
            else:
                # A future takes no StopIteration.
                wrapped = RuntimeError(repr(error)) if isinstance(error, StopIteration) else error
                ended.set_exception(wrapped)

        def run() -> Callable[[], None]:
            value, fault = None, None
            try:
                value = context.run(function)
            except BaseException as error:
                fault = error
            with self._lock:
                going.clear()
                self._given_up.discard(ended)
            return lambda: tell(value, fault)

        def tell(value: Any, fault: BaseException | None) -> None:
            # The loop may have ended before a call that was given up.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(settle, value, fault)

        workers.call(run)
        try:
            return await ended
        except asyncio.CancelledError:
            with self._lock:
                self._given_up |= going
            _log.warning("a call of %s was given up and cannot be ended: it goes on by itself", self._name)
            raise

    async def awaited(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Await a foreign coroutine beside the caller's loop: it may block, or not heed being cancelled."""
        try:
            self._admit()
        except BaseException:
            coroutine.close()
            raise
        call = Call(coroutine, self._name)
        try:
            return await _LOOPS.run(call)
        except asyncio.CancelledError:
            if call.begun:
                with self._lock:
                    self._given_up.add(call)
                call.ended.add_done_callback(lambda _: self._ended(call))
            raise

    def _ended(self, call: object) -> None:
        with self._lock:
            self._given_up.discard(call)

    def _admit(self) -> None:
        if self.given_up >= self._limit:
            raise TransientError(
                f"{self._limit} earlier calls of {self._name} were given up and have not ended: "
                "none is made until one does"
            )
