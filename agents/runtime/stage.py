"""A stage is data: what the one loop needs to know to run it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from agents.runtime.budget import Budget, Spent
from agents.runtime.rules import Move
from agents.runtime.scoring import Score
from agents.runtime.work import Work

W = TypeVar("W", bound=Work)


@dataclass(frozen=True)
class Stage(Generic[W]):
    """One configured loop.

    `goal` is the user's message; `work` is the record before the first step, with all that the stage works
    on; `tools` are names in the run's registry; `scorer` measures the record, and nothing else, after them.
    `policy` is the rules' next move, from the record alone, whoever made the moves before; without one only a
    model can make a move. `step` is what its chats count as. `identity` says what the stage works on: steps
    kept of a stage with another identity are not its own. `history` is how many tokens of the session's
    earlier turns it is shown. The last `rules_last` iterations are the rules', whatever a model has come to.
    """

    name: str
    goal: str
    work: W
    tools: tuple[str, ...]
    system_prompt: str
    threshold: float
    max_iterations: int
    scorer: Callable[[W], Score]
    policy: Callable[[W], Move] | None = None
    identity: str = ""
    step: Literal["think", "respond"] = "think"
    history: int = 0
    rules_last: int = 0
    budget: Budget = field(default_factory=Budget)


@dataclass(frozen=True)
class Outcome(Generic[W]):
    """The best result of a stage: the work, its score and why it is not higher. `fallback` says how many
    of its chats the rules had to answer for the model, and why; `over` which budget ended it before its time;
    `used` are the approvals by which calls were made.
    """

    stage: str
    work: W
    score: float
    reasons: tuple[str, ...]
    iterations: int
    passed: bool
    fallback: str = ""
    spent: Spent = field(default_factory=Spent)
    over: str = ""
    used: tuple[str, ...] = ()
