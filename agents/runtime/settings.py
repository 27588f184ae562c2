"""The agents' settings, read once at the edge from TIDEMARK_* and passed in."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from agents.runtime.budget import Budget
from warehouse.variables import RoomSettings


class AgentSettings(RoomSettings):
    """`model` is LangChain's `provider:name`; without one the table of models is asked, else the rules."""

    state_dir: Path = Path(".tidemark")
    model: str = ""
    models_file: Path = Path(__file__).with_name("models.yml")
    model_timeout_s: float = Field(default=30.0, gt=0)
    model_backoff_s: float = Field(default=0.5, gt=0)
    model_cooldown_s: float = Field(default=60.0, gt=0)
    agent_max_rows: int = Field(default=10_000, gt=0)
    # The weekday that weeks begin with: 0 is Monday, 6 Sunday.
    week_start: int = Field(default=0, ge=0, le=6)
    # Whether a language model may write SQL of its own where no metric is what is asked for.
    free_sql: bool = False
    budget: Budget = Budget()

    @property
    def reports_dir(self) -> Path:
        return self.state_dir / "reports"

    @property
    def steps_dir(self) -> Path:
        return self.state_dir / "steps"

    @property
    def sessions_dir(self) -> Path:
        return self.state_dir / "sessions"
