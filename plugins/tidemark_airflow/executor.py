"""A local executor whose tasks find the heavy libraries already imported.

A task is a fork of the scheduler. Importing dbt, Great Expectations and LangGraph in every one of them costs
far more than the task itself; importing them once, before the first fork, costs a task nothing.
"""

from __future__ import annotations

import importlib
import logging
import os
import time
import warnings

from airflow.executors.local_executor import LocalExecutor

MODULES = (
    "dbt.cli.main",
    "dbt.adapters.clickhouse",
    "great_expectations",
    "warehouse.clickhouse",
    "warehouse.dbt_runner",
    "warehouse.quality",
    "warehouse.semantic",
    "agents.analyst.lists",
    "wiring.analyst",
)


class WarmLocalExecutor(LocalExecutor):
    """Airflow's `LocalExecutor`, warmed up. Name it in `AIRFLOW__CORE__EXECUTOR`."""

    def start(self) -> None:
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        # dbt's locks outlive the task that made them: a warning at its end, which reads like an error.
        os.environ["PYTHONWARNINGS"] = "ignore::UserWarning:multiprocessing.resource_tracker"
        logging.getLogger("great_expectations").setLevel(logging.ERROR)
        started = time.monotonic()
        for module in MODULES:
            try:
                with warnings.catch_warnings(action="ignore"):
                    importlib.import_module(module)
            except ImportError as error:
                # The task that needs it says so where a person looks; the others shall run.
                self.log.warning("%s cannot be imported ahead of its tasks: %s", module, error)
        self.log.info("Imported ahead of the tasks in %.1f s", time.monotonic() - started)
        super().start()
