"""The one base of our operators: a permanent error of any room ends the task, others are retried."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.definitions.context import Context

from tidemark_airflow.errors import permanent_errors_fail

if TYPE_CHECKING:
    from wiring.settings import Settings


class TidemarkOperator(BaseOperator):
    """`perform` does the work and returns what the next task or the command line must know: small JSON.

    Settings are read once a task, here.
    """

    @abstractmethod
    def perform(self, context: Context, settings: Settings) -> Any: ...

    def execute(self, context: Context) -> Any:
        from wiring.settings import Settings

        with permanent_errors_fail():
            try:
                return self.perform(context, Settings.read())
            except Exception as error:
                # One readable line: Airflow's own is a traceback.
                self.log.error("%s: %s", type(error).__name__, error)
                raise
