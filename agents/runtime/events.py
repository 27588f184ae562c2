"""What a run says about itself while it runs: one record an event, for sinks at once and for followers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

EventKind = Literal["thought_generated", "tool_called", "iteration_completed", "execution_completed"]
_log = logging.getLogger(__name__)


class Event(BaseModel):
    """One event of a run: the record of topic `agent.events`. `detail` is JSON text, times are UTC."""

    model_config = ConfigDict(frozen=True)

    event_id: str = Field(default_factory=lambda: uuid4().hex)
    session_id: str
    trace_id: str
    agent: str
    stage: str = ""
    kind: EventKind
    iteration: int | None = None
    score: float | None = None
    detail: str = "{}"
    occurred_at: datetime = Field(default_factory=lambda: datetime.now(UTC))


EventSink = Callable[[Event], None]


class EventStream:
    """One run's events. Followers may come late: they see those from the beginning, and the end."""

    def __init__(self, *sinks: EventSink) -> None:
        self._sinks = sinks
        self._events: list[Event] = []
        self._ended = False
        self._faults: set[str] = set()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def put(self, event: Event) -> None:
        """Hand an event on. A fault in a sink costs it the event alone, and is said once."""
        self._events.append(event)
        for sink in self._sinks:
            try:
                sink(event)
            except Exception as error:
                if repr(error) not in self._faults:
                    self._faults.add(repr(error))
                    _log.warning("session %s: a sink loses events: %r", event.session_id, error)
        self._wake()

    def begin(self) -> None:
        """More comes, as in a run that goes on after a person has answered."""
        self._ended = False

    def end(self) -> None:
        """Nothing more comes: who follows has seen all."""
        self._ended = True
        self._wake()

    async def follow(self) -> AsyncIterator[Event]:
        """Each event as it comes, until the run has ended; in any event loop, by any number of followers."""
        seen, news = 0, asyncio.Event()
        listener = (asyncio.get_running_loop(), news)
        self._waiting.append(listener)
        try:
            while True:
                news.clear()
                ended = self._ended
                while seen < len(self._events):
                    seen += 1
                    yield self._events[seen - 1]
                if ended:
                    return
                await news.wait()
        finally:
            self._waiting.remove(listener)

    def _wake(self) -> None:
        for loop, news in list(self._waiting):
            if not loop.is_closed():
                loop.call_soon_threadsafe(news.set)
