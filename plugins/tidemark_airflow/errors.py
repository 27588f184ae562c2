"""Which errors end a task at once: the rooms say so by `PermanentError`, Airflow by its own exception."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowFailException

ROOTS = ("warehouse.errors", "agents.runtime.errors", "streaming.errors")


@contextmanager
def permanent_errors_fail() -> Iterator[None]:
    """Turn a permanent error of any room into `AirflowFailException`; let the rest pass, to be retried."""
    try:
        yield
    except Exception as error:
        # A room that was never imported cannot have raised.
        roots = [sys.modules[name] for name in ROOTS if name in sys.modules]
        if isinstance(error, tuple(root.PermanentError for root in roots)):
            raise AirflowFailException(str(error)) from error
        raise
