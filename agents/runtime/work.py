"""What a stage has done so far: one typed record, all that its tools, its scorer and its rules may know."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field


class Work(BaseModel):
    """A stage's record. It never changes: a tool's updates make a new one. Checkpoints keep it as JSON.

    `refused` is the loop's: why a call was refused, by the call, until the same call succeeds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    refused: dict[str, str] = Field(default_factory=dict)

    def having(self, updates: Mapping[str, Any]) -> Self:
        """This record with other values; a field that it does not have, or another type, is an error."""
        return type(self).model_validate({**dict(self), **updates}) if updates else self

    def refusal(self, tool: str, arguments: Mapping[str, Any]) -> str:
        """Why this very call was refused, or an empty string."""
        return self.refused.get(call_key(tool, arguments), "")


def call_key(tool: str, arguments: Mapping[str, Any]) -> str:
    """A call by its tool and arguments, short enough to be kept."""
    text = json.dumps(arguments, sort_keys=True, default=str)
    return f"{tool}:{sha256(text.encode()).hexdigest()[:16]}"


def digest(*parts: Any) -> str:
    """What identifies plain data: 16 hex digits."""
    return sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]
