"""The rules in the place of a language model: a move that follows from a stage's work, said as a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage

RULES = "rules"


@dataclass(frozen=True)
class Move:
    """What to do next: a thought, and the tool calls that follow from it as (tool, arguments)."""

    thought: str
    calls: tuple[tuple[str, Mapping[str, Any]], ...] = field(default=())


def say(move: Move, turn: int) -> AIMessage:
    """The move as a model would have answered; it uses no tokens. `turn` makes its calls' ids its own."""
    return AIMessage(
        content=move.thought,
        tool_calls=[
            {"name": name, "args": dict(arguments), "id": f"call_{turn}_{index}"}
            for index, (name, arguments) in enumerate(move.calls)
        ],
        usage_metadata={"input_tokens": 0, "output_tokens": 0, "total_tokens": 0},
        response_metadata={"model_name": RULES},
    )
