"""A stage is data: what the one loop needs to know to run it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from agents.runtime.rules import Move
from agents.runtime.scoring import Score
from agents.runtime.tools import Tool
from agents.runtime.work import Work

W = TypeVar("W", bound=Work)


@dataclass(frozen=True)
class Stage(Generic[W]):
    """One configured loop.

    `goal` is the user's message; `work` is the record before the first step; `scorer` measures what the
    tools have made of it; `policy` is the rules' next move, from the record alone, whoever made the moves
    before; `step` is what its chats count as. `identity` says what the stage works on: steps kept of a stage
    with another identity are not its own.
    """

    name: str
    goal: str
    work: W
    tools: tuple[Tool[W], ...]
    system_prompt: str
    threshold: float
    max_iterations: int
    scorer: Callable[[W], Score]
    policy: Callable[[W], Move]
    identity: str = ""
    step: Literal["think", "respond"] = "think"


@dataclass(frozen=True)
class Outcome(Generic[W]):
    """The best result of a stage: the work, its score and why it is not higher. `fallback` says how many
    of its chats the rules had to answer for the model, and why.
    """

    stage: str
    work: W
    score: float
    reasons: tuple[str, ...]
    iterations: int
    passed: bool
    fallback: str = ""
