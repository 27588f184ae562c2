"""One provider's model, asked with patience: attempts, a deadline, and a call that can be given up."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import random
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage

from agents.runtime import messages as said
from agents.runtime.breaker import Breaker
from agents.runtime.errors import ModelError
from agents.runtime.eventloops import Call, Loops
from agents.runtime.failures import judge
from agents.runtime.settings import AgentSettings

ATTEMPTS = 3
# No text and no call is so long: what is, is neither kept nor sent back with each later question.
LONGEST_ANSWER = 64_000
_SLOT_POLL_S = 0.005

T = TypeVar("T")
_LOOPS = Loops("chats")


class Provider:
    """A model by its name, with its breaker."""

    def __init__(self, model: BaseChatModel, name: str, breaker: Breaker, settings: AgentSettings) -> None:
        self.name = name
        self._model = model
        self._breaker = breaker
        self._settings = settings

    async def ask(self, messages: Sequence[AnyMessage], tools: list[dict[str, Any]]) -> AIMessage:
        """Ask, and again what may go through again, until the call's deadline. Raises ModelError."""
        with self._breaker.call():
            answer = await self._patiently(messages, tools)
        length = len(said.text(answer)) + sum(len(str(call["args"])) for call in said.calls(answer))
        if length > LONGEST_ANSWER:
            raise ModelError(f"answered with {length:,} characters, and at most {LONGEST_ANSWER:,} are read")
        return answer

    async def _patiently(self, messages: Sequence[AnyMessage], tools: list[dict[str, Any]]) -> AIMessage:
        deadline = time.monotonic() + self._settings.model_timeout_s
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._once(messages, tools, deadline)
            except ModelError:
                raise
            except Exception as error:
                failure = judge(error)
                # Spread out, so that all who were turned away do not come back at the same moment.
                backoff = self._settings.model_backoff_s * 2 ** (attempt - 1) * random.uniform(0.5, 1.0)
                wait = max(failure.wait_s, backoff)
                if not failure.again or attempt == ATTEMPTS or time.monotonic() + wait >= deadline:
                    tried = f" (asked {attempt} times)" if attempt > 1 else ""
                    raise ModelError(
                        f"failed{tried}: {type(error).__name__}: {error}", failure.out, failure.wait_s
                    ) from error
            await asyncio.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    async def _once(
        self, messages: Sequence[AnyMessage], tools: list[dict[str, Any]], deadline: float
    ) -> AIMessage:
        """One attempt, given up at the deadline whatever the provider's client does."""
        late = f"gave no answer within {self._settings.model_timeout_s:g} s"
        slots = self._breaker.slots
        while not slots.acquire(blocking=False):
            if time.monotonic() >= deadline:
                raise ModelError(f"{late}: too many earlier calls have not ended", True)
            await asyncio.sleep(_SLOT_POLL_S)
        answer = asyncio.ensure_future(self._start(list(messages), tools, slots.release))
        try:
            await asyncio.wait([answer], timeout=max(0.0, deadline - time.monotonic()))
            if not answer.done():
                raise ModelError(late, True)
            return answer.result()
        finally:
            answer.cancel()

    def _start(
        self, messages: list[AnyMessage], tools: list[dict[str, Any]], freed: Callable[[], None]
    ) -> Awaitable[AIMessage]:
        """Ask; `freed` is called when the call has ended, which may be long after it was given up."""
        bound = self._model.bind_tools(tools) if tools else self._model
        if type(self._model)._agenerate is BaseChatModel._agenerate:
            ended = _on_a_thread(lambda: bound.invoke(messages))
            ended.add_done_callback(lambda _: freed())
            return asyncio.wrap_future(ended)
        # Without the caller's context: a client is no part of the graph that is running there.
        call = Call(bound.ainvoke(messages), self.name, contextvars.Context())
        call.ended.add_done_callback(lambda _: freed())
        return _LOOPS.run(call)


def _on_a_thread(call: Callable[[], T]) -> concurrent.futures.Future[T]:
    """For a client that only waits: a call that is given up goes on until it ends by itself."""
    future: concurrent.futures.Future[T] = concurrent.futures.Future()
    # It is running from now on: giving it up must not free its slot.
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    # A daemon thread, so that a provider that never answers cannot keep the process from ending.
    threading.Thread(target=run, name="chat", daemon=True).start()
    return future
