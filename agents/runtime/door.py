"""The one synchronous door: a coroutine run to its end for a caller that cannot await."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from agents.runtime import workers
from agents.runtime.bulkhead import Bulkhead
from agents.runtime.errors import TransientError
from agents.runtime.eventloops import GRACE_S, tidy

T = TypeVar("T")
_BLOCKING = Bulkhead("what blocks its caller", limit=16)


class OverdueError(TransientError, TimeoutError):
    """A coroutine did not end in time, and was left behind."""


def run_sync(coroutine: Coroutine[Any, Any, T], timeout_s: float | None = None) -> T:
    """The coroutine's result. Raises OverdueError at the timeout, whatever the coroutine is doing.

    It runs in an event loop and a thread of its own, so that it may be called where another loop runs, and
    code that blocks the loop cannot hold the caller. What ends the wait (the timeout, Ctrl-C, a signal's
    exception) cancels the coroutine; one that does not end in the grace is left to a daemon thread.
    """
    ended: Future[T] = Future()
    context = contextvars.copy_context()
    loop = asyncio.new_event_loop()

    def run() -> None:
        asyncio.set_event_loop(loop)
        try:
            try:
                value = loop.run_until_complete(loop.create_task(coroutine, context=context))
            except BaseException as error:
                ended.set_exception(error)
            else:
                ended.set_result(value)
            tidy(loop)
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    thread = threading.Thread(target=run, name="run", daemon=True)
    try:
        # A signal may come as soon as this.
        thread.start()
        result = ended.result(timeout_s)
    except BaseException as fault:
        overdue = isinstance(fault, TimeoutError) and not ended.done()
        if not ended.done():
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(lambda: [one.cancel() for one in asyncio.all_tasks(loop)])
        if thread.ident is not None:
            thread.join(GRACE_S)
        workers.dismiss()
        if overdue:
            raise OverdueError(
                f"The run did not end within {timeout_s:.3g} s, for something in it heeds no deadline. It is "
                "given up; a run with an id goes on from what it has kept."
            ) from None
        raise
    thread.join(GRACE_S)
    workers.dismiss()
    return result


def in_time(function: Callable[[], T], timeout_s: float | None) -> T:
    """The result of a function that blocks, for as long as it may; raises OverdueError as `run_sync` does."""
    return function() if timeout_s is None else run_sync(_BLOCKING.threaded(function), timeout_s)
