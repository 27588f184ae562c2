"""The settings that DAG files read: when the sample begins, how failures are told of, where the state is."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict


class AirflowSettings(BaseSettings):
    """Read from `TIDEMARK_*`. `commerce_start` must not move once Airflow has scheduled a day after it;
    `report_language` is that of the steward's reports, where a run's form does not say another.
    """

    model_config = SettingsConfigDict(env_prefix="TIDEMARK_", extra="ignore", frozen=True)

    state_dir: Path = Path(".tidemark")
    commerce_start: date = date(2026, 11, 1)
    report_language: Literal["en", "zh"] = "en"
