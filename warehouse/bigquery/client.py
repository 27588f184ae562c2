"""BigQuery behind the room's protocol, over google-cloud-bigquery."""

from __future__ import annotations

import re
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

from requests.exceptions import ReadTimeout
from sqlglot import exp

with warnings.catch_warnings():
    # Google's packages announce the end of Python versions.
    warnings.simplefilter("ignore")
    from google.api_core.client_options import ClientOptions
    from google.api_core.exceptions import Conflict
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery

from warehouse.bigquery import loading
from warehouse.bigquery.address import Address
from warehouse.bigquery.catalogue import column_of, live_tables
from warehouse.bigquery.dialect import DIALECT
from warehouse.bigquery.errors import DRIVER_ERRORS, ONCE, translated
from warehouse.client import Column, Cost, DryRun, Limits, LiveTable, Result, TableSpec, size
from warehouse.errors import (
    AccessDeniedError,
    LimitExceededError,
    QueryError,
)
from warehouse.labels import current_labels
from warehouse.retrying import retried

if TYPE_CHECKING:
    import pyarrow as pa

# A statement's own time is in its limits; a call that only asks how things are has this.
_CALL_SECONDS = 60.0
_TIB = 2**40
_NOT_IN_LABELS = re.compile(r"[^a-z0-9_-]")
_T = TypeVar("_T")


class BigQuery:
    """A project of BigQuery, or an emulator: a `warehouse.client.Warehouse`.

    Each query is estimated before it runs, and refused with the estimate if it would read more than it may;
    what BigQuery itself does not take for a SELECT is not run as one. A read-only connection loads nothing.
    """

    dialect = DIALECT

    def __init__(self, address: Address, *, read_only: bool, usd_per_tib: float, billed_bytes: int) -> None:
        self._address = address
        self._read_only = read_only
        self._usd_per_tib = usd_per_tib
        self._billed_bytes = billed_bytes
        self._client: bigquery.Client | None = None
        self._opening = threading.Lock()

    def query(self, sql: str | exp.Query, *, limits: Limits | None = None) -> Result:
        text, asked = self._text(sql), limits or Limits(rows=None, bytes=None, seconds=None)
        return self._query(text, asked)

    def dry_run(self, sql: str | exp.Query) -> DryRun:
        text = self._text(sql)
        return self._retried(lambda: self._estimate(text))

    def create(self, table: TableSpec) -> None:
        with self._writing() as client:
            loading.create(client, table)

    def insert(self, table: TableSpec, rows: pa.Table, *, token: str | None = None) -> None:
        with self._writing() as client:
            loading.insert(client, table.name, table.fitted(rows), token, self._labels())

    def replace_days(self, table: TableSpec, days: Collection[date], rows: pa.Table) -> None:
        with self._writing() as client:
            loading.replace_days(client, table, days, rows, self._labels(), self.execute)

    def execute(self, statement: str) -> None:
        with self._writing() as client:
            config = bigquery.QueryJobConfig(labels=self._labels(), maximum_bytes_billed=self._billed_bytes)
            client.query(statement, config, retry=ONCE, job_retry=None).result(retry=ONCE, job_retry=None)

    def tables(self, names: Collection[str] | None = None) -> list[LiveTable]:
        return self._retried(lambda: live_tables(self._open(), names))

    def ping(self) -> None:
        with self._translated():
            list(self._open().list_datasets(max_results=1, retry=ONCE, timeout=_CALL_SECONDS))

    def close(self) -> None:
        with self._opening:
            if self._client is not None:
                self._client.close()  # type: ignore[no-untyped-call]  # Google's, without annotations
                self._client = None

    def _query(self, text: str, limits: Limits) -> Result:
        started = time.perf_counter()
        plan = self._retried(lambda: self._estimate(text))
        cap = self._billed_bytes if limits.billed_bytes is None else limits.billed_bytes
        if (plan.cost.bytes or 0) > cap:
            raise LimitExceededError(
                f"The query would read {plan.cost}; one query may read {size(cap)}. It was not run. "
                "Ask for fewer days or columns, or raise TIDEMARK_BIGQUERY_BILLED_BYTES."
            )
        config = bigquery.QueryJobConfig(labels=self._labels(), maximum_bytes_billed=cap)
        running = _Running(self._open(), text, config, limits.seconds)

        def read() -> Result:
            job, rows = running.finished()
            if limits.rows is not None and (rows.total_rows or 0) > limits.rows:
                raise LimitExceededError(
                    f"The result has {rows.total_rows:,} rows, more than the {limits.rows:,} that it may. "
                    "Aggregate further, or write a LIMIT."
                )
            return Result(
                columns=tuple(column_of(field) for field in rows.schema),
                rows=list(_capped((tuple(map(_value, row.values())) for row in rows), limits.bytes)),
                elapsed=time.perf_counter() - started,
                cost=self._cost(job.total_bytes_processed, job.total_bytes_billed),
            )

        return self._retried(read)

    def _estimate(self, text: str) -> DryRun:
        config = bigquery.QueryJobConfig(dry_run=True, use_query_cache=False, labels=self._labels())
        job = self._open().query(text, config, retry=ONCE, job_retry=None, timeout=_CALL_SECONDS)
        if job.statement_type not in (None, "SELECT"):
            raise QueryError(f"This is a {job.statement_type} statement. Write one plain SELECT.")
        columns: tuple[Column, ...] = tuple(column_of(field) for field in job.schema or ())
        return DryRun(columns, self._cost(job.total_bytes_processed, job.total_bytes_processed))

    def _cost(self, read: int | None, billed: int | None) -> Cost:
        usd = None if billed is None else billed / _TIB * self._usd_per_tib
        return Cost(bytes=None if read is None else int(read), usd=usd)

    def _labels(self) -> dict[str, str]:
        """As BigQuery allows them: small letters, digits, `_` and `-`, at most 63 of them."""
        given = {"application": "tidemark", **current_labels()}
        return {name: _NOT_IN_LABELS.sub("_", value.lower())[:63] for name, value in given.items()}

    def _text(self, sql: str | exp.Query) -> str:
        return sql if isinstance(sql, str) else self.dialect.render(sql)

    def _retried(self, work: Callable[[], _T]) -> _T:
        def read() -> _T:
            with self._translated():
                return work()

        return retried(read)

    def _open(self) -> bigquery.Client:
        with self._opening:
            if self._client is None:
                endpoint = self._address.api_endpoint
                # Google's, without annotations.
                nobody = AnonymousCredentials() if endpoint else None  # type: ignore[no-untyped-call]
                self._client = bigquery.Client(
                    project=self._address.project,
                    location=self._address.location or None,
                    credentials=nobody,
                    client_options=ClientOptions(api_endpoint=endpoint) if endpoint else None,
                )
            return self._client

    @contextmanager
    def _writing(self) -> Iterator[bigquery.Client]:
        if self._read_only:
            raise AccessDeniedError("This connection only reads. Write over the writer's.")
        with self._translated(loading=True):
            yield self._open()

    @contextmanager
    def _translated(self, *, loading: bool = False) -> Iterator[None]:
        try:
            yield
        except DRIVER_ERRORS as error:
            raise translated(error, self._address, loading=loading) from error


class _Running:
    """A query under way: what is tried again asks for the same job, which is charged for once.

    Only a job that has failed, which costs nothing, is begun anew.
    """

    def __init__(
        self, client: bigquery.Client, text: str, config: bigquery.QueryJobConfig, seconds: float | None
    ) -> None:
        self._client = client
        self._text = text
        self._config = config
        self._seconds = seconds
        self._id = _new_id()
        self._job: bigquery.QueryJob | None = None
        if seconds is not None:
            config.job_timeout_ms = max(1, round(seconds * 1000))

    def finished(self) -> tuple[bigquery.QueryJob, Any]:
        """The finished job and its rows; a job that outlasts its time is cancelled."""
        if self._job is not None and self._job.error_result:
            self._id, self._job = _new_id(), None
        try:
            if self._job is None:
                self._job = self._begun()
            return self._job, self._job.result(retry=ONCE, job_retry=None, timeout=self._seconds)
        except (FutureTimeoutError, ReadTimeout) as error:
            with suppress(*DRIVER_ERRORS):
                self._client.cancel_job(self._id, retry=ONCE, timeout=_CALL_SECONDS)
            if self._seconds is None:
                raise
            raise LimitExceededError(
                f"The query ran for more than {self._seconds:g} seconds and was cancelled. Ask for fewer "
                "days or columns."
            ) from error

    def _begun(self) -> bigquery.QueryJob:
        try:
            return self._client.query(
                self._text, self._config, job_id=self._id, retry=ONCE, job_retry=None, timeout=self._seconds
            )
        except Conflict:  # it was begun, and the answer to that was lost
            known = self._client.get_job(self._id, retry=ONCE, timeout=self._seconds or _CALL_SECONDS)
            return cast("bigquery.QueryJob", known)


def _new_id() -> str:
    return f"tidemark_{uuid.uuid4().hex}"


def _value(value: Any) -> Any:
    """A DATETIME has no zone; like all times here it is UTC."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def _capped(rows: Iterator[tuple[Any, ...]], most: int | None) -> Iterator[tuple[Any, ...]]:
    """The rows while they come, for as long as their text is no longer than it may be."""
    held = 0
    for row in rows:
        held += sum(len(str(value)) for value in row)
        if most is not None and held > most:
            raise LimitExceededError(
                f"The result is larger than the {size(most)} that it may be. Write a LIMIT."
            )
        yield row
