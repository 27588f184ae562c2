"""A warehouse in memory, for tests: of this project and of those that build on it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.executor import execute
from sqlglot.executor.table import Table

from warehouse.clickhouse.dialect import DIALECT
from warehouse.client import Column, Cost, DryRun, Limits, LiveTable, Result, TableSpec
from warehouse.dialect import Dialect
from warehouse.errors import LimitExceededError, QueryError, RowsRefusedError

if TYPE_CHECKING:
    import pyarrow as pa

Rows = list[dict[str, Any]]
Answer = Rows | Exception | Callable[[str], Rows]

_TYPES = {
    bool: "Bool",
    int: "Int64",
    float: "Float64",
    str: "String",
    date: "Date",
    datetime: "DateTime64(6)",
}


class FakeWarehouse:
    """A `warehouse.client.Warehouse` that keeps rows as dictionaries, in `held` by qualified name.

    `answers` come first: what a query brings whose SQL a regular expression is found in; rows, an error that
    is raised, or a function of the SQL. Any other is run over the rows held, by sqlglot's own executor, which
    knows plain SELECTs and few functions. `asked` is the SQL of all queries, dry runs and statements.
    """

    def __init__(
        self,
        held: Mapping[str, Rows] | None = None,
        answers: Mapping[str, Answer] | None = None,
        dialect: Dialect = DIALECT,
    ) -> None:
        self.held: dict[str, Rows] = {name: list(rows) for name, rows in (held or {}).items()}
        self.answers = dict(answers or {})
        self.asked: list[str] = []
        self._dialect = dialect
        self._columns: dict[str, tuple[str, ...]] = {}
        self._tokens: set[tuple[str, str]] = set()
        self._writes: dict[str, int] = {}

    @property
    def dialect(self) -> Dialect:
        return self._dialect

    def query(self, sql: str | exp.Query, *, limits: Limits | None = None) -> Result:
        result = self._result(sql)
        if limits and limits.rows is not None and len(result.rows) > limits.rows:
            raise LimitExceededError(f"The result has more than {limits.rows} rows. Ask for fewer.")
        return result

    def dry_run(self, sql: str | exp.Query) -> DryRun:
        result = self._result(sql)
        return DryRun(result.columns, result.cost)

    def create(self, table: TableSpec) -> None:
        self.held.setdefault(table.name, [])
        self._columns.setdefault(table.name, tuple(column.name for column in table.columns))

    def insert(self, table: TableSpec, rows: pa.Table, *, token: str | None = None) -> None:
        self._insert(table.name, table.fitted(rows).to_pylist(), token)

    def insert_json(self, table: str, lines: bytes, *, token: str) -> None:
        try:
            self._insert(table, [json.loads(line) for line in lines.splitlines() if line], token)
        except ValueError as error:
            raise RowsRefusedError(f"A line is not JSON: {error}") from error

    def replace_days(self, table: TableSpec, days: Collection[date], rows: pa.Table) -> None:
        rows = table.fitted(rows)
        table.days_in(rows, days)
        kept = [row for row in self._rows(table.name) if row[table.partition_by] not in set(days)]
        self.held[table.name] = kept
        self._insert(table.name, rows.to_pylist(), None)

    def inserts_running(self) -> int:
        return 0

    def execute(self, statement: str) -> None:
        self.asked.append(statement)

    def tables(self, names: Collection[str] | None = None) -> list[LiveTable]:
        return [
            LiveTable(
                database=name.partition(".")[0],
                name=name.partition(".")[2],
                columns=self._shape(name),
                rows=len(rows),
                version=f"{len(rows)} rows after {self._writes.get(name, 0)} writes",
            )
            for name, rows in sorted(self.held.items())
            if names is None or name in names
        ]

    def ping(self) -> None:
        pass

    def close(self) -> None:
        pass

    def _result(self, sql: str | exp.Query) -> Result:
        text = sql if isinstance(sql, str) else self._dialect.render(sql)
        self.asked.append(text)
        answer = next((found for pattern, found in self.answers.items() if re.search(pattern, text)), None)
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            return self._executed(sql if isinstance(sql, exp.Query) else self._dialect.parse(sql))
        rows = answer(text) if callable(answer) else answer
        return _result(list(rows[0]) if rows else [], [tuple(row.values()) for row in rows])

    def _executed(self, query: exp.Query) -> Result:
        tables: dict[str, dict[str, Table]] = {}
        schema: dict[str, dict[str, dict[str, str]]] = {}
        for name, rows in self.held.items():
            database, _, table = name.partition(".")
            columns = [column.name for column in self._shape(name)]
            values = [tuple(row.get(column) for column in columns) for row in rows]
            tables.setdefault(database, {})[table] = Table(columns, values)
            schema.setdefault(database, {})[table] = dict.fromkeys(columns, "unknown")
        try:
            found = execute(query, schema=schema, tables=tables)
        except (SqlglotError, KeyError) as error:
            raise QueryError(f"{error} Script an answer for what the executor cannot run.") from error
        return _result(list(found.columns), [tuple(row) for row in found.rows])

    def _rows(self, table: str) -> Rows:
        if table not in self.held:
            raise QueryError(f"There is no table {table}. Create it first.")
        return self.held[table]

    def _insert(self, table: str, rows: Rows, token: str | None) -> None:
        held = self._rows(table)
        if token is None or (table, token) not in self._tokens:
            held.extend(rows)
            self._writes[table] = self._writes.get(table, 0) + 1
        if token is not None:
            self._tokens.add((table, token))

    def _shape(self, table: str) -> tuple[Column, ...]:
        rows = self.held[table]
        names = self._columns.get(table) or tuple(rows[0] if rows else ())
        return tuple(Column(name, _type(row.get(name) for row in rows)) for name in names)


def _result(names: list[str], rows: list[tuple[Any, ...]]) -> Result:
    columns = tuple(Column(name, _type(row[at] for row in rows)) for at, name in enumerate(names))
    return Result(columns, rows, cost=Cost(rows=len(rows)))


def _type(values: Any) -> str:
    """ClickHouse's name of the type of the first value that there is."""
    first = next((value for value in values if value is not None), None)
    return _TYPES.get(type(first), "Nullable(Nothing)")
