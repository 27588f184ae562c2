"""What a run says about itself while it runs: one record an event, handed to the caller's sink at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

EventKind = Literal["thought_generated", "tool_called", "iteration_completed", "execution_completed"]


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
