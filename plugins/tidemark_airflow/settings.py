"""Where the pages find what they show, and when the commerce sample begins."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class AirflowSettings(BaseSettings):
    """Read from `TIDEMARK_*`. `commerce_start` must not move once Airflow has scheduled a day after it."""

    model_config = SettingsConfigDict(env_prefix="TIDEMARK_", extra="ignore")

    state_dir: Path = Path(".tidemark")
    dbt_target_dir: Path = Path(".tidemark/dbt")
    commerce_start: date = date(2026, 11, 1)

    @property
    def reports_dir(self) -> Path:
        return self.state_dir / "reports"
