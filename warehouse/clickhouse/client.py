"""ClickHouse behind the room's protocol, over clickhouse-connect."""

from __future__ import annotations

import logging
import math
import threading
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError
from pydantic import SecretStr
from sqlglot import exp
from urllib3.exceptions import HTTPError

from warehouse.clickhouse.ddl import create_table
from warehouse.clickhouse.dialect import DIALECT
from warehouse.clickhouse.errors import translated
from warehouse.client import Column, Cost, DryRun, Limits, LiveTable, Result, TableSpec
from warehouse.errors import QueryError
from warehouse.retrying import retried

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client
    from clickhouse_connect.driver.query import QueryResult

# Without it a missing row of an outer join reads as 0 or 1970-01-01, and metrics are wrong in silence.
_SETTINGS = {"join_use_nulls": 1}
_JSON_SETTINGS = {
    "date_time_input_format": "best_effort",
    "input_format_skip_unknown_fields": 1,
    "input_format_null_as_default": 1,
    # A plain insert answers when the rows are in the table; that answer is what exactly-once rests on.
    "async_insert": 0,
    # All lines are one block: with more, a token would count once for each, and some could fail alone.
    "max_insert_block_size": 10_000_000,
    "input_format_parallel_parsing": 0,
}
# An insert may not meet more partitions at once: the server's own limit.
_DAYS_AT_ONCE = 100
_SYSTEM = "'system', 'information_schema', 'INFORMATION_SCHEMA'"

# The driver and its pool log what they also raise.
for _name in ("clickhouse_connect", "urllib3.connectionpool"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


class ClickHouse:
    """A ClickHouse server, or the embedded one that speaks its HTTP protocol: a `warehouse.client.Warehouse`.

    There is no server session, so any number of threads may share it.
    """

    dialect = DIALECT

    def __init__(self, url: str, user: str, password: SecretStr) -> None:
        self._url = url
        self._user = user
        self._password = password
        self._client: Client | None = None
        self._opening = threading.Lock()

    def query(self, sql: str | exp.Query, *, limits: Limits | None = None) -> Result:
        started = time.perf_counter()
        text = self._text(sql)
        answer = self._read(text, _server_limits(limits))
        columns = tuple(
            Column(name, kind.name)
            for name, kind in zip(answer.column_names, answer.column_types, strict=True)
        )
        if not columns:
            # The Native format of an empty result has no header.
            with suppress(QueryError):
                columns = self._describe(text)
        return Result(
            columns=columns,
            rows=[tuple(row) for row in answer.result_rows],
            elapsed=time.perf_counter() - started,
            # A server that is still reading when it begins to answer says 0.
            cost=Cost(
                int(answer.summary.get("read_rows", 0)) or None,
                int(answer.summary.get("read_bytes", 0)) or None,
            ),
        )

    def dry_run(self, sql: str | exp.Query) -> DryRun:
        text = self._text(sql)
        columns = self._describe(text)
        estimate = self._read(f"EXPLAIN ESTIMATE\n{text}")
        return DryRun(columns, Cost(rows=sum(int(row["rows"]) for row in estimate.named_results())))

    def create(self, table: TableSpec) -> None:
        # Named, because the default engine would want file grants for its readers on the embedded server.
        self.execute(f"CREATE DATABASE IF NOT EXISTS {table.name.partition('.')[0]} ENGINE = Atomic")
        self.execute(create_table(table))
        for column in table.columns:
            if column.formerly:
                self.execute(
                    f"ALTER TABLE {table.name} RENAME COLUMN IF EXISTS `{column.formerly}` TO `{column.name}`"
                )

    def insert(self, table: TableSpec, rows: pa.Table, *, token: str | None = None) -> None:
        # Without a token of its own, an insert of equal rows would be taken for the same one.
        self._insert(table.name, table.fitted(rows), token or uuid.uuid4().hex)

    def insert_json(self, table: str, lines: bytes, *, token: str) -> None:
        settings = _JSON_SETTINGS | {"insert_deduplication_token": token}
        with self._translated(loading=True):
            self._open().raw_insert(table, insert_block=lines, fmt="JSONEachRow", settings=settings)

    def replace_days(self, table: TableSpec, days: Collection[date], rows: pa.Table) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        rows = table.fitted(rows)
        given = table.days_in(rows, days)
        stage = f"{table.name}__{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE TABLE {stage} AS {table.name}")
        try:
            for at in range(0, len(given), _DAYS_AT_ONCE):
                some = pa.array(given[at : at + _DAYS_AT_ONCE], pa.date32())
                self._insert(stage, rows.filter(pc.is_in(rows[table.partition_by], some)), uuid.uuid4().hex)
            commands = [f"REPLACE PARTITION '{one}' FROM {stage}" for one in given]
            commands += [f"DROP PARTITION '{one}'" for one in sorted(set(days) - set(given))]
            if commands:
                self.execute(f"ALTER TABLE {table.name} {', '.join(commands)}")
        finally:
            self.execute(f"DROP TABLE IF EXISTS {stage}")

    def inserts_running(self) -> int:
        ((count,),) = self._read(
            "SELECT count() FROM system.processes WHERE query LIKE '%FORMAT JSONEachRow' "
            "AND Settings['insert_deduplication_token'] != ''"
        ).result_rows
        return int(count)

    def execute(self, statement: str) -> None:
        with self._translated(loading=True):
            self._open().command(statement)

    def tables(self, names: Collection[str] | None = None) -> list[LiveTable]:
        where = f"database NOT IN ({_SYSTEM})"
        if names is not None:
            listed = ", ".join(self.dialect.render(exp.Literal.string(name)) for name in names)
            where += f" AND concat(database, '.', table) IN ({listed or 'NULL'})"
        columns: dict[tuple[str, str], list[Column]] = {}
        for database, table, name, kind in self._read(
            f"SELECT database, table, name, type FROM system.columns WHERE {where} ORDER BY position"
        ).result_rows:
            columns.setdefault((database, table), []).append(Column(name, kind))
        found = self._read(
            "SELECT database, table, total_rows, total_bytes, toString(uuid) FROM system.tables "
            f"WHERE {where} ORDER BY database, table"
        ).result_rows
        return [
            LiveTable(
                database,
                table,
                tuple(columns.get((database, table), ())),
                rows,
                size,
                None if rows is None else f"{uid} {rows} {size}",
            )
            for database, table, rows, size, uid in found
        ]

    def ping(self) -> None:
        with self._translated():
            self._open().query("SELECT 1")

    def close(self) -> None:
        # Not waited for: a call that was given up may be held by a server in the middle of opening.
        if not self._opening.acquire(blocking=False):
            return
        try:
            if self._client is not None:
                self._client.close()
                self._client = None
        finally:
            self._opening.release()

    def _insert(self, table: str, rows: pa.Table, token: str) -> None:
        with self._translated(loading=True):
            self._open().insert_arrow(table, rows, settings={"insert_deduplication_token": token})

    def _text(self, sql: str | exp.Query) -> str:
        return sql if isinstance(sql, str) else self.dialect.render(sql)

    def _describe(self, sql: str) -> tuple[Column, ...]:
        answer = self._read(f"DESCRIBE TABLE (\n{sql}\n)")
        return tuple(Column(row[0], row[1]) for row in answer.result_rows)

    def _read(self, sql: str, settings: Mapping[str, Any] | None = None) -> QueryResult:
        """The answer with all its rows: they come as a stream, and may fail as late as that."""

        def read() -> QueryResult:
            with self._translated():
                answer = self._open().query(sql, settings=dict(settings) if settings else None)
                _ = answer.result_rows
                return answer

        return retried(read)

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
    def _translated(self, *, loading: bool = False) -> Iterator[None]:
        try:
            yield
        except (ClickHouseError, HTTPError, OSError) as error:
            raise translated(error, self._url, self._user, loading=loading) from error


def _server_limits(limits: Limits | None) -> dict[str, Any]:
    if limits is None:
        return {}
    settings = {
        "max_result_rows": limits.rows,
        "max_result_bytes": limits.bytes,
        # Whole seconds: a server may refuse a fraction, which it would round to no limit at all.
        "max_execution_time": None if limits.seconds is None else math.ceil(limits.seconds),
    }
    return {name: value for name, value in settings.items() if value is not None}
