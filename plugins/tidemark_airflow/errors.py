"""Which errors end a task at once: the rooms say so by `PermanentError`, Airflow by its own exception."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowFailException


@contextmanager
def permanent_errors_fail() -> Iterator[None]:
    """Turn a permanent error of any room into `AirflowFailException`; let the rest pass, to be retried."""
    from warehouse.errors import PermanentError

    try:
        yield
    except PermanentError as error:
        raise AirflowFailException(str(error)) from error
