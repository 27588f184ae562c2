"""What our tasks have in common: a permanent error of any room ends one, others are retried."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import getdoc
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.definitions.context import Context

from tidemark_airflow.errors import permanent_errors_fail

if TYPE_CHECKING:
    from wiring.settings import Settings


class TidemarkOperator(BaseOperator):
    """`perform` does the work and returns what the next task or the command line must know: small JSON.

    Settings are read once a task, here; with `connected`, about the project that `tidemark connect` chose, if
    one is. Airflow shows the class's docstring as the task's documentation.
    """

    def __init__(self, *, connected: bool = False, **kwargs: Any) -> None:
        super().__init__(**{"doc_md": getdoc(type(self)), **kwargs})
        self.connected = connected

    @abstractmethod
    def perform(self, context: Context, settings: Settings) -> Any: ...

    def execute(self, context: Context) -> Any:
        from wiring.project import of_connected
        from wiring.settings import Settings

        with errors_told(self):
            settings = Settings.read()
            return self.perform(context, of_connected(settings) if self.connected else settings)


@contextmanager
def errors_told(task: BaseOperator) -> Iterator[None]:
    """An error within is one readable line of the task's log, besides Airflow's traceback."""
    with permanent_errors_fail():
        try:
            yield
        except Exception as error:
            task.log.error("%s: %s", type(error).__name__, error)
            raise
