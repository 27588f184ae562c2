"""Calls that can be given up but not ended: each goes on by itself, counted, and only so many at once."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from agents.runtime import workers
from agents.runtime.errors import TransientError

T = TypeVar("T")


class Bulkhead:
    """Runs calls of one kind. Who stops waiting for one (a timeout, a cancelled run) is free at once; what
    goes on behind counts as given up until it ends, and no call is begun while `limit` of them do.
    """

    def __init__(self, limit: int) -> None:
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
            raise

    async def awaited(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Await a foreign coroutine; one that does not heed being cancelled is left behind."""
        try:
            self._admit()
        except BaseException:
            coroutine.close()
            raise
        task = asyncio.get_running_loop().create_task(coroutine)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            if task.cancel():
                with self._lock:
                    self._given_up.add(task)
                task.add_done_callback(self._ended)
            raise
        return task.result()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        with self._lock:
            self._given_up.discard(task)
        if not task.cancelled():
            # Asked for, so that asyncio does not log what nobody waits for any more.
            task.exception()

    def _admit(self) -> None:
        if self.given_up >= self._limit:
            raise TransientError(
                f"{self._limit} earlier calls were given up and have not ended: none is made until one does"
            )
