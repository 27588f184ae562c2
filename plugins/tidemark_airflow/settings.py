"""When the commerce sample begins: the one setting that only Airflow has."""

from __future__ import annotations

from datetime import date

from pydantic_settings import BaseSettings, SettingsConfigDict


class AirflowSettings(BaseSettings):
    """Read from `TIDEMARK_*`. `commerce_start` must not move once Airflow has scheduled a day after it."""

    model_config = SettingsConfigDict(env_prefix="TIDEMARK_", extra="ignore", frozen=True)

    commerce_start: date = date(2026, 11, 1)
