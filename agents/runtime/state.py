"""What the nodes of one stage's graph know: the state that is kept, and what they share in this process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Generic, TypedDict, TypeVar

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages

from agents.runtime.budget import Spent
from agents.runtime.run import Run
from agents.runtime.stage import Stage
from agents.runtime.tools import Registered
from agents.runtime.work import Work

W = TypeVar("W", bound=Work)


class State(TypedDict):
    """What a stage knows after a step; plain data, so that any checkpointer can keep it.

    `work` and `best` are the stage's record as JSON; an empty `best` is `work` itself. `fallbacks` says why
    the rules answered, once a chat that they answered; `spent` is JSON too, `over` why the stage may not go
    on, `used` the approvals that were acted on.
    """

    messages: Annotated[list[AnyMessage], add_messages]
    iteration: int
    work: str
    best: str
    score: float
    reasons: list[str]
    fallbacks: list[str]
    spent: str
    over: str
    used: list[str]
    done: bool


@dataclass
class Context(Generic[W]):
    """What the nodes of one stage share. `since` is the moment until which its seconds are on its account,
    `results` what calls gave in this process.
    """

    stage: Stage[W]
    run: Run
    since: float
    _read: dict[str, W] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def tools(self) -> Mapping[str, Registered]:
        return self.run.registry.named(self.stage.tools)

    @cached_property
    def schemas(self) -> list[dict[str, Any]]:
        return [one.schema for one in self.tools.values()]

    def work(self, kept: str) -> W:
        """The record of a state; the newest is not read twice, for a large result takes long to read."""
        if kept not in self._read:
            work = type(self.stage.work).model_validate_json(kept)
            self._read.clear()
            self._read[kept] = work
        return self._read[kept]

    def kept(self, work: W) -> str:
        text = work.model_dump_json()
        self._read.clear()
        self._read[text] = work
        return text

    def spent(self, state: Mapping[str, Any]) -> Spent:
        """What the stage has used, in this process and those before it."""
        account = Spent.model_validate_json(state["spent"])
        return account + Spent(seconds=self.run.clock() - self.since)

    def over(self, state: State) -> str:
        """Why nothing more may be begun, or an empty string."""
        return self.run.over or self.stage.budget.over(self.spent(state), "stage")

    def left_s(self, state: State) -> float | None:
        seconds = self.stage.budget.seconds
        own = [] if seconds is None else [max(0.0, seconds - self.spent(state).seconds)]
        return min([*own, *(one for one in (self.run.left_s,) if one is not None)], default=None)

    def spend(self, state: State, used: Spent) -> str:
        """The stage's account after this use, as JSON; the run's is told."""
        self.run.spend(used)
        total, self.since = self.spent(state) + used, self.run.clock()
        return total.model_dump_json()
