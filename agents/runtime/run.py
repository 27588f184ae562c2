"""A session is a conversation, a run one task in it: who asks, what it may use, who listens, how it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from langgraph.checkpoint.base import BaseCheckpointSaver
from opentelemetry import trace
from opentelemetry.trace import TracerProvider

from agents.runtime import tracing
from agents.runtime.budget import Budget, Spent
from agents.runtime.bulkhead import Bulkhead
from agents.runtime.events import Event, EventKind, EventStream
from agents.runtime.history import Turn
from agents.runtime.models import Models
from agents.runtime.steps import Checkpoints
from agents.runtime.tools import REGISTRY, ToolRegistry
from warehouse.errors import TidemarkError

T = TypeVar("T")
# Blocking code of our own: rules that ask the warehouse, reports that are written.
_OWN = Bulkhead("our own code", limit=16)


class RunCancelledError(TidemarkError):
    """Who follows the run has ended it. Its steps are kept: the same run id goes on where it stopped."""


@dataclass(frozen=True)
class Session:
    """A conversation: what records and memory are keyed by."""

    id: str


class _Scope:
    """What all parts of one run share and change: what it has used, and the task that a cancel ends."""

    def __init__(self) -> None:
        self.earlier = Spent()
        self.began: float | None = None
        self.task: asyncio.Task[Any] | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.cancelled = ""
        self.claims: dict[str, str] = {}

    def end(self) -> None:
        if self.task is not None:
            self.task.cancel()


@dataclass(frozen=True)
class Run:
    """One task of a session. `replace` makes another view of the same run: they share what it has used, its
    events and its end.

    `deps` are the agent's typed dependencies, which its tools get; `deadline` is a moment of `clock`;
    `checkpoints` are keyed by the run, `place` tells two passes of one stage apart; `approved` are the
    approvals of calls that a person gave (see `approval.granted`), each for one call; `turns` what was said
    in the session before.
    """

    agent: str
    session: Session
    run_id: str
    models: Models
    deps: Any = None
    budget: Budget = field(default_factory=Budget)
    registry: ToolRegistry = REGISTRY
    stream: EventStream = field(default_factory=EventStream)
    checkpoints: BaseCheckpointSaver[str] | None = None
    tracer_provider: TracerProvider | None = None
    deadline: float | None = None
    place: str = ""
    approved: frozenset[str] = frozenset()
    turns: tuple[Turn, ...] = ()
    clock: Callable[[], float] = time.monotonic
    _scope: _Scope = field(default_factory=_Scope)

    @property
    def spans(self) -> tracing.Spans:
        return tracing.Spans(self.agent, self.session.id, self.run_id, self.tracer_provider)

    @property
    def spent(self) -> Spent:
        """What the run has used until now, with what it had used in processes before this one."""
        began = self._scope.began
        passed = Spent(seconds=self.clock() - began) if began is not None else Spent()
        return self._scope.earlier + passed

    def spend(self, used: Spent) -> None:
        """Add to what the run has used; seconds of this process are counted by the clock."""
        self._scope.earlier += used

    @property
    def over(self) -> str:
        """Why nothing more may be begun, or an empty string."""
        if self.deadline is not None and self.clock() >= self.deadline:
            return "the run's deadline has passed"
        return self.budget.over(self.spent, "run")

    @property
    def left_s(self) -> float | None:
        """Seconds until the run's time is up; None is for ever."""
        ends = [] if self.deadline is None else [self.deadline - self.clock()]
        if self.budget.seconds is not None:
            ends.append(self.budget.seconds - self.spent.seconds)
        return max(0.0, min(ends)) if ends else None

    def ends_within(self, more_s: float) -> float | None:
        """Seconds after which the run must have ended, with so many more than its budget for what it must
        still do then; None is for ever. It is for the door, which ends what its budget did not.
        """
        return None if self.left_s is None else self.left_s + more_s

    def claim(self, approval: str, owner: str) -> str:
        """Whose an approval is: the first stage's that claims it. It stays so, whatever comes of its call."""
        if isinstance(self.checkpoints, Checkpoints):
            return self.checkpoints.claim(approval, owner)
        return self._scope.claims.setdefault(approval, owner)

    def events(self) -> AsyncIterator[Event]:
        """The run's events as they come; ends with the run."""
        return self.stream.follow()

    def cancel(self, reason: str) -> None:
        """End the run, from any thread: what it waits for is given up, and `scope` raises."""
        scope = self._scope
        scope.cancelled = scope.cancelled or reason
        if scope.loop is not None and not scope.loop.is_closed():
            scope.loop.call_soon_threadsafe(scope.end)

    @asynccontextmanager
    async def scope(self) -> AsyncIterator[None]:
        """Around the run's whole work, once; within it further scopes change nothing. Its time counts, a
        cancel ends it, and its events end with it.
        """
        scope = self._scope
        if scope.task is not None:
            yield
            return
        task = asyncio.current_task()
        assert task is not None
        scope.task, scope.loop, scope.began = task, asyncio.get_running_loop(), self.clock()
        before = task.cancelling()
        self.stream.begin()
        try:
            if scope.cancelled:
                scope.end()
                await asyncio.sleep(0)
            yield
        except asyncio.CancelledError:
            if not scope.cancelled or task.uncancel() > before:
                raise
            self.emit("execution_completed", status="cancelled", reasons=[scope.cancelled])
            raise RunCancelledError(f"run {self.run_id} was cancelled: {scope.cancelled}") from None
        finally:
            scope.earlier, scope.began, scope.task = self.spent, None, None
            self.stream.end()

    async def threaded(self, function: Callable[[], T]) -> T:
        """Run blocking code of our own beside the event loop; given up with the run."""
        return await _OWN.threaded(function)

    def emit(
        self,
        kind: EventKind,
        stage: str = "",
        iteration: int | None = None,
        score: float | None = None,
        **detail: Any,
    ) -> None:
        """Say what happens, while it happens."""
        self.stream.put(
            Event(
                session_id=self.session.id,
                trace_id=tracing.trace_id(trace.get_current_span()),
                agent=self.agent,
                stage=stage,
                kind=kind,
                iteration=iteration,
                score=score,
                detail=tracing.capped(detail),
            )
        )
