"""A stage is data: what the one loop needs to know to run it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from langchain_core.messages import BaseMessage

from agents.runtime.rules import Move
from agents.runtime.scoring import Score
from agents.runtime.tools import Tool

Work = Mapping[str, Any]


@dataclass(frozen=True)
class Stage:
    """One configured loop.

    `goal` is the user's message; `scorer` measures the work that the tools have done so far;
    `policy` is the rule-based model's next move in this stage; `step` is what its chats count as.
    """

    name: str
    goal: str
    tools: tuple[Tool, ...]
    system_prompt: str
    threshold: float
    max_iterations: int
    scorer: Callable[[Work], Score]
    policy: Callable[[Sequence[BaseMessage]], Move]
    step: Literal["think", "respond"] = "think"


@dataclass(frozen=True)
class Outcome:
    """The best result of a stage: the work, its score and why it is not higher."""

    stage: str
    work: Work
    score: float
    reasons: tuple[str, ...]
    iterations: int
    passed: bool
    fallback: str = ""
