"""ClickHouse behind the room's protocol, over clickhouse-connect."""

from __future__ import annotations

import logging
import math
import re
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.exceptions import (
    ClickHouseError,
    DataError,
    InterfaceError,
    NotSupportedError,
    ProgrammingError,
)
from pydantic import SecretStr
from urllib3.exceptions import HTTPError

from warehouse.client import Column, DryRun, Limits, Result
from warehouse.errors import (
    AccessDeniedError,
    LimitExceededError,
    OverloadedError,
    PermanentError,
    QueryError,
    TransientError,
    UnreachableError,
    WarehouseError,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client
    from clickhouse_connect.driver.query import QueryResult

# Without it a missing row of an outer join reads as 0 or 1970-01-01, and metrics are wrong in silence.
_SETTINGS = {"join_use_nulls": 1}
_RETRY_WAITS = (0.3, 1.0, 2.0)

_LOGIN_CODES = {192, 193, 194, 195, 516}
_ACCESS_CODES = {164, 291, 497}
_LIMIT_CODES = {158, 159, 160, 191, 241, 307, 396}
_TRANSIENT_CODES = {202, 203, 209, 210, 236, 242, 252, 279, 319, 439, 473, 999}

# The driver's own refusals, before anything was sent.
_MISUSE = (DataError, InterfaceError, NotSupportedError, ProgrammingError)

# What follows the reason is of no use to a reader: the parser's long list of tokens, a stack, the version.
_MESSAGE = re.compile(
    r"DB::Exception: (?P<message>.*?)\s*"
    r"(?:Expected one of:|Stack trace:|\([A-Z0-9_]{3,}\)\s*(?:\(version|$)|\(version |$)",
    re.DOTALL,
)
_CODE = re.compile(r"\bCode: (?P<code>\d+)")
_ERRNO = re.compile(r"\[Errno \d+\] (?P<reason>[^\"')]+)")

# The driver and its pool log what they also raise.
for _name in ("clickhouse_connect", "urllib3.connectionpool"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


class ClickHouse:
    """A ClickHouse server, or the embedded one that speaks its HTTP protocol: a `warehouse.client.Warehouse`.

    There is no server session, so any number of threads may share it.
    """

    dialect = "clickhouse"

    def __init__(self, url: str, user: str, password: SecretStr) -> None:
        self._url = url
        self._user = user
        self._password = password
        self._client: Client | None = None
        self._opening = threading.Lock()

    def query(
        self, sql: str, *, limits: Limits | None = None, parameters: Mapping[str, Any] | None = None
    ) -> Result:
        started = time.perf_counter()
        answer = self._read(sql, parameters, _server_limits(limits))
        columns = tuple(
            Column(name, kind.name)
            for name, kind in zip(answer.column_names, answer.column_types, strict=True)
        )
        if not columns:
            # The Native format of an empty result has no header.
            with suppress(QueryError):
                columns = self._describe(sql, parameters)
        return Result(
            columns=columns,
            rows=[tuple(row) for row in answer.result_rows],
            elapsed=time.perf_counter() - started,
            rows_read=int(answer.summary.get("read_rows", 0)),
            bytes_read=int(answer.summary.get("read_bytes", 0)),
        )

    def dry_run(self, sql: str) -> DryRun:
        columns = self._describe(sql, None)
        estimate = self._read(f"EXPLAIN ESTIMATE\n{sql}")
        tables = [dict(zip(estimate.column_names, row, strict=True)) for row in estimate.result_rows]
        return DryRun(
            columns=columns,
            estimated_rows=sum(int(table["rows"]) for table in tables),
            estimated_parts=sum(int(table["parts"]) for table in tables),
        )

    def execute(self, sql: str) -> None:
        with self._translated():
            self._open().command(sql)

    def insert_arrow(self, table: str, data: pa.Table, *, dedup_token: str | None = None) -> None:
        settings = {"insert_deduplication_token": dedup_token} if dedup_token else None
        with self._translated():
            self._open().insert_arrow(table, data, settings=settings)

    def replace_partition(self, table: str, partition: date, data: pa.Table) -> None:
        day = partition.isoformat()
        if not data.num_rows:
            self.execute(f"ALTER TABLE {table} DROP PARTITION '{day}'")
            return
        staging = f"{table}__{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE TABLE {staging} AS {table}")
        try:
            self.insert_arrow(staging, data)
            found = self.query(f"SELECT DISTINCT toString(_partition_value.1) FROM {staging}").rows
            if found != [(day,)]:
                raise PermanentError(
                    f"The rows for partition {day} of {table} belong to {sorted(row[0] for row in found)}. "
                    "Nothing was replaced; hand over one partition's rows."
                )
            self.execute(f"ALTER TABLE {table} REPLACE PARTITION '{day}' FROM {staging}")
        finally:
            self.execute(f"DROP TABLE IF EXISTS {staging}")

    def ping(self) -> None:
        with self._translated():
            self._open().query("SELECT 1")

    def close(self) -> None:
        with self._opening:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _describe(self, sql: str, parameters: Mapping[str, Any] | None) -> tuple[Column, ...]:
        answer = self._read(f"DESCRIBE TABLE (\n{sql}\n)", parameters)
        return tuple(Column(row[0], row[1]) for row in answer.result_rows)

    def _read(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> QueryResult:
        """The answer with all its rows: they come as a stream, and may fail as late as that."""
        waits = iter(_RETRY_WAITS)
        while True:
            try:
                with self._translated():
                    answer = self._open().query(
                        sql,
                        parameters=dict(parameters) if parameters else None,
                        settings=dict(settings) if settings else None,
                    )
                    _ = answer.result_rows
                    return answer
            except TransientError:
                wait = next(waits, None)
                if wait is None:
                    raise
                time.sleep(wait)

    def _open(self) -> Client:
        with self._opening:
            if self._client is None:
                address = urlsplit(self._url)
                client = clickhouse_connect.get_client(
                    interface=address.scheme,
                    host=address.hostname,
                    port=address.port or 0,
                    username=self._user,
                    password=self._password.get_secret_value(),
                    autogenerate_session_id=False,
                    query_retries=0,
                    tz_mode="aware",
                    client_name="tidemark",
                )
                # The driver holds back settings listed as fixed for a read-only user, even those that its
                # profile makes changeable. Whether caps may be sent is the server's to say.
                client.server_settings.clear()
                for name, value in _SETTINGS.items():
                    client.set_client_setting(name, value)
                self._client = client
            return self._client

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (ClickHouseError, HTTPError, OSError) as error:
            raise self._error(error) from error

    def _error(self, error: Exception) -> WarehouseError:
        text = str(error)
        found = _MESSAGE.search(text)
        # A failure in the middle of a stream carries its code in the text alone.
        in_text = _CODE.search(text)
        code: int | None = getattr(error, "code", None) or (int(in_text["code"]) if in_text else None)
        if code is None and not found and not isinstance(error, _MISUSE):
            cause = _ERRNO.search(text)
            return UnreachableError(
                f"The warehouse at {self._url} did not answer ({cause['reason'] if cause else text[:200]}). "
                "Start it, or set TIDEMARK_WAREHOUSE_URL."
            )
        message = found["message"] if found else text.splitlines()[0]
        message = " ".join(message.split()).removesuffix(".").removesuffix("FORMAT Native").rstrip(" .") + "."
        if code in _LOGIN_CODES:
            message += (
                " Set TIDEMARK_WAREHOUSE_PASSWORD and TIDEMARK_WAREHOUSE_READER_PASSWORD; "
                "`tidemark env` tells those of the embedded stack."
            )
        if code in _ACCESS_CODES | _LOGIN_CODES:
            return AccessDeniedError(
                f"The warehouse user {self._user!r} may not do this: {message}", code=code
            )
        if code in _LIMIT_CODES:
            return LimitExceededError(message, code=code)
        if code in _TRANSIENT_CODES:
            return OverloadedError(message, code=code)
        return QueryError(message, code=code)


def _server_limits(limits: Limits | None) -> dict[str, Any]:
    if limits is None:
        return {}
    settings = {
        "max_result_rows": limits.rows,
        "max_result_bytes": limits.bytes,
        "max_rows_to_read": limits.read_rows,
        # Whole seconds: a server may refuse a fraction, which it would round to no limit at all.
        "max_execution_time": None if limits.seconds is None else math.ceil(limits.seconds),
    }
    return {name: value for name, value in settings.items() if value is not None}
