"""What the DAG files share: the asset that joins them, how a task is retried, when the sample begins."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Asset, Param

from tidemark_airflow.settings import AirflowSettings

ODS_COMMERCE = Asset("ods/commerce")

RETRIES: dict[str, Any] = {
    "retries": 2,
    "retry_delay": timedelta(seconds=10),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=5),
}

# A gate waits for ten minutes while days are being loaded: a day takes seconds, and a pause may be of weeks.
CATCHING_UP: dict[str, Any] = {
    "loader": "commerce_ingestion",
    "retries": 30,
    "retry_delay": timedelta(seconds=20),
    "retry_exponential_backoff": 0,
}


def report_language() -> Param:
    """In which language the steward tells of a run's failure: a field of its form."""
    return Param(
        AirflowSettings().report_language, enum=["en", "zh"], title="Language of a report on what failed"
    )


def connected_project() -> str:
    """The name of the project that `tidemark connect` chose; empty where none is."""
    try:
        kept = json.loads((AirflowSettings().state_dir / "project.json").read_text("utf-8"))
        return str(kept["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def commerce_start() -> datetime:
    """The first logical day that the schedule loads; earlier days are a backfill run's."""
    start = AirflowSettings().commerce_start
    return datetime(start.year, start.month, start.day, tzinfo=UTC)
