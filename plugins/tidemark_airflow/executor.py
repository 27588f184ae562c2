"""A local executor whose tasks find the heavy libraries already imported.

A task is a fork of the scheduler. Importing dbt, Great Expectations and LangGraph in every one of them costs
far more than the task itself; importing them once, before the first fork, costs a task nothing.
"""

from __future__ import annotations

import importlib
import os
import time

from airflow.executors.local_executor import LocalExecutor

LIBRARIES = (
    "dbt.cli.main",
    "dbt.adapters.clickhouse",
    "great_expectations",
    "warehouse.quality.gate",
    "agents.analyst",
    "streaming",
)


class WarmLocalExecutor(LocalExecutor):
    """Airflow's `LocalExecutor`, warmed up. Name it in `AIRFLOW__CORE__EXECUTOR`."""

    def start(self) -> None:
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        started = time.monotonic()
        for library in LIBRARIES:
            importlib.import_module(library)
        self.log.info("Libraries for the tasks imported in %.1f s", time.monotonic() - started)
        super().start()
