"""Event loops beside the callers', for coroutines that are not ours: what blocks one holds itself alone."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Generic, TypeVar

T = TypeVar("T")
# How long a loop may take to begin a call before it counts as held.
PATIENCE_S = 1.0
# How long what was cancelled may take to tidy up before it is left behind.
GRACE_S = 2.0
_log = logging.getLogger(__name__)


class Call(Generic[T]):
    """A coroutine to be run on one of the loops. `ended` is done when it has truly ended, given up or not."""

    def __init__(
        self, coroutine: Coroutine[Any, Any, T], name: str, context: contextvars.Context | None = None
    ) -> None:
        self.name = name
        self.ended: Future[T] = Future()
        self.begun = False
        self._coroutine = coroutine
        self._context = context or contextvars.copy_context()
        self._lock = threading.Lock()
        self._loop: _Loop | None = None
        self._task: asyncio.Task[T] | None = None

    def moved(self, loop: _Loop) -> bool:
        """Hand it to a loop, from one that has not begun it; False when it was begun after all."""
        with self._lock:
            if not self.begun:
                self._loop = loop
            return not self.begun

    def begin(self, loop: _Loop) -> None:
        """In the loop's thread: run it, unless another loop was given it, or it was given up."""
        with self._lock:
            if self._loop is not loop or not self.ended.set_running_or_notify_cancel():
                return
            self.begun = True
        self._task = loop.loop.create_task(self._coroutine, context=self._context)
        loop.calls.append(self)
        self._task.add_done_callback(self._settle)

    def give_up(self) -> None:
        """Cancel it; what does not heed that goes on by itself."""
        with self._lock:
            if self.ended.cancel():
                self._coroutine.close()
                return
        if self._loop is not None:
            # The loop may have ended with the call.
            with suppress(RuntimeError):
                self._loop.loop.call_soon_threadsafe(lambda: self._task and self._task.cancel())

    def _settle(self, task: asyncio.Task[T]) -> None:
        assert self._loop is not None
        self._loop.calls.remove(self)
        self._loop.end_when_left()
        cancelled = RuntimeError(f"{self.name} was cancelled from within")
        fault = cancelled if task.cancelled() else task.exception()
        if fault is None:
            self.ended.set_result(task.result())
        else:
            self.ended.set_exception(fault)


class _Loop:
    """One loop in a thread of its own, which cannot keep the process from ending."""

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.calls: list[Call[Any]] = []
        self._left = False
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def leave(self) -> None:
        """End it when its calls have ended."""
        self._left = True
        self.loop.call_soon_threadsafe(self.end_when_left)

    def end_when_left(self) -> None:
        if self._left and not self.calls:
            self.loop.stop()

    def _run(self) -> None:
        self.loop.run_forever()
        tidy(self.loop)
        self.loop.close()


class Loops:
    """One loop at a time for all calls, for what they share (a client's connections) works on the loop that
    opened it alone. One that a call holds is left to it, and another takes its place.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        """A forked child has its parent's loop, but not the thread that runs it."""
        self._lock = threading.Lock()
        self._loop: _Loop | None = None

    async def run(self, call: Call[T]) -> T:
        """The call's result. Who stops waiting gives the call up."""
        answer = asyncio.wrap_future(call.ended)
        try:
            loop = self._hand(call, None)
            await asyncio.wait({answer}, timeout=PATIENCE_S)
            while not (answer.done() or call.begun):
                loop = self._hand(call, loop)
                await asyncio.wait({answer}, timeout=PATIENCE_S)
            return await answer
        except asyncio.CancelledError:
            call.give_up()
            answer.cancel()
            raise

    def _hand(self, call: Call[Any], held: _Loop | None) -> _Loop:
        """Give the call to the loop in use, which is a new one where there is none or it is held."""
        with self._lock:
            if self._loop is held and held is not None:
                on_it = ", ".join(sorted({one.name for one in list(held.calls)})) or "something"
                _log.warning("%s blocks the event loop for %s: the next calls get another", on_it, self._name)
                held.leave()
                self._loop = None
            loop = self._loop = self._loop or _Loop(self._name)
            if call.moved(loop):
                loop.loop.call_soon_threadsafe(call.begin, loop)
            return loop


def tidy(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what was left in a loop that has stopped, and give it a moment."""
    left = asyncio.all_tasks(loop)
    for one in left:
        one.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left, timeout=GRACE_S))
    loop.run_until_complete(loop.shutdown_asyncgens())
