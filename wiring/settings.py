"""Every room's settings, read together and once, as one frozen object that is handed on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents.runtime.settings import AgentSettings
from streaming.settings import StreamingSettings
from warehouse.settings import WarehouseSettings

PREFIX = "TIDEMARK_"


@dataclass(frozen=True)
class Settings:
    """What one process was told, by room."""

    warehouse: WarehouseSettings
    streaming: StreamingSettings
    agents: AgentSettings

    @classmethod
    def read(cls, told: Mapping[str, str] | None = None) -> Settings:
        """From this process's `TIDEMARK_*` variables; `told`, by the same names, holds where they are silent.

        Raises pydantic's `ValidationError` for a value that a setting cannot have.
        """
        given: dict[str, Any] = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in (told or {}).items()
            if name not in os.environ
        }
        return cls(WarehouseSettings(**given), StreamingSettings(**given), AgentSettings(**given))
