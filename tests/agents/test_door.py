"""The synchronous door: the result or the error, in time, and nothing of it is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextvars import ContextVar

import pytest

from agents.runtime import door
from agents.runtime.door import run_sync

NAME: ContextVar[str] = ContextVar("NAME", default="")


async def answer(value: int) -> int:
    await asyncio.sleep(0)
    return value


async def fail() -> None:
    raise ZeroDivisionError


def test_a_result_an_error_and_no_thread_that_stays() -> None:
    before = threading.active_count()

    async def leave_a_task() -> str:
        asyncio.get_running_loop().create_task(asyncio.sleep(3600))
        return NAME.get()

    NAME.set("of the caller")
    assert run_sync(answer(42)) == 42
    assert run_sync(leave_a_task()) == "of the caller"
    with pytest.raises(ZeroDivisionError):
        run_sync(fail())
    assert threading.active_count() == before


def test_it_can_be_used_where_a_loop_runs_already() -> None:
    async def main() -> int:
        return run_sync(answer(1)) + await answer(2)

    assert asyncio.run(main()) == 3


def test_a_timeout_cancels_what_waits() -> None:
    ended = threading.Event()

    async def wait() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    before = threading.active_count()
    with pytest.raises(TimeoutError):
        run_sync(wait(), timeout_s=0.05)
    assert ended.is_set()
    assert threading.active_count() == before


def test_a_timeout_frees_the_caller_of_what_blocks_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "GRACE_S", 0.05)
    ends = threading.Event()

    async def block() -> None:
        ends.wait()

    with pytest.raises(TimeoutError):
        run_sync(block(), timeout_s=0.05)
    ends.set()


@pytest.fixture
def listening() -> Iterator[None]:
    """Ctrl-C is heard, also where a script has put the tests into the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("listening")
def test_a_signals_exception_ends_the_wait_and_the_run() -> None:
    ended = threading.Event()

    async def wait() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(3600)
        finally:
            ended.set()

    with pytest.raises(KeyboardInterrupt):
        run_sync(wait(), timeout_s=60)
    assert ended.is_set()


def test_what_does_not_heed_its_cancel_does_not_hold_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "GRACE_S", 0.05)

    async def deaf() -> None:
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                continue

    with pytest.raises(TimeoutError):
        run_sync(deaf(), timeout_s=0.05)
