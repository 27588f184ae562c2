"""What a stage has done so far: one typed record, all that its tools, its scorer and its rules may know."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field


@dataclass(frozen=True)
class ToolCall:
    """A call as it was asked for."""

    name: str
    arguments: Mapping[str, Any]
    call_id: str = ""

    @property
    def key(self) -> str:
        return call_key(self.name, self.arguments)


class Work(BaseModel):
    """A stage's record. It never changes: `reduce` makes a new one of it and a call's result. Checkpoints
    keep it as JSON.

    `refused` is the loop's: why a call was refused, by the call, until the same call succeeds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    refused: dict[str, str] = Field(default_factory=dict)

    def reduce(self, call: ToolCall, result: Any) -> Self:
        """The record after a call that succeeded: the one way in which it changes. Results are reduced in the
        order of their calls, whichever ended first. What a record has no use for leaves it as it is.
        """
        return self

    def having(self, **changes: Any) -> Self:
        """This record with other values; a field that it does not have, or another type, is an error."""
        return type(self).model_validate({**dict(self), **changes})

    def refusal(self, tool: str, arguments: Mapping[str, Any]) -> str:
        """Why this very call was refused, or an empty string."""
        return self.refused.get(call_key(tool, arguments), "")

    def noted(self, call: ToolCall, refusal: str) -> Self:
        """The record with the call's refusal, or without one when the call went through."""
        if refusal:
            return self.having(refused={**self.refused, call.key: refusal})
        if call.key in self.refused:
            return self.having(refused={key: why for key, why in self.refused.items() if key != call.key})
        return self


def call_key(tool: str, arguments: Mapping[str, Any]) -> str:
    """A call by its tool and arguments, short enough to be kept."""
    text = json.dumps(arguments, sort_keys=True, default=str)
    return f"{tool}:{sha256(text.encode()).hexdigest()[:16]}"


def digest(*parts: Any) -> str:
    """What identifies plain data: 16 hex digits."""
    return sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]
