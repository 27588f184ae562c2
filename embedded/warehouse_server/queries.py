"""What one request does to the engine: where rows begin, what a user may run, how it is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol

from embedded.warehouse_server.access import User, bounded, reader_settings
from embedded.warehouse_server.engine import Engine, Summary, identifier
from embedded.warehouse_server.errors import WarehouseServerError
from embedded.warehouse_server.protocol import Request
from embedded.warehouse_server.reading import (
    NAMES_A_FILE,
    READ_ONLY,
    bound_settings,
    judge,
    judge_database,
    judge_format,
    take_settings,
)
from embedded.warehouse_server.statements import STATEMENT_BYTES, Insert

# ClickHouse's max_query_size: how much is read to find where a statement ends and its rows begin.
_HEAD_BYTES = STATEMENT_BYTES
# A statement without rows is held whole. A reader's is no longer than ClickHouse's own limit.
_WHOLE_BYTES = 1 << 20
# chDB turns the first two on for its own shell; statements are read in one language alone.
_SERVER_SETTINGS = {
    "implicit_select": "0",
    "allow_introspection_functions": "0",
    "dialect": "clickhouse",
    # Length and depth are looked at before; in the engine's own words a statement is longer and deeper.
    "max_query_size": str(16 * _WHOLE_BYTES),
    "max_parser_depth": "5000",
}


class Reply(Protocol):
    """Where the result goes."""

    format: str

    def write(self, data: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Query:
    """One request of an authenticated user.

    `may_write` is false for GET, which ClickHouse takes as a promise to only read; `watch` ends the given
    callable's statement when the client goes away.
    """

    engine: Engine
    request: Request
    user: User
    may_write: bool
    files: dict[str, bytes]
    watch: Callable[[Callable[[], None]], AbstractContextManager[None]]

    def run(self, pieces: Iterator[bytes], reply: Reply) -> Summary:
        """Run the request's statement, whose text and rows are its `query` parameter and then `pieces`."""
        asked = dict(self.request.settings)
        for name in self.files:
            for suffix in ("structure", "types", "format"):
                asked.pop(f"{name}_{suffix}", None)
        if self.user.read_only:
            if self.files:
                raise WarehouseServerError(164, f"{READ_ONLY}: a file becomes a table")
            judge_database(self.request.database)
            asked = reader_settings(asked)
        for name, value in asked.items():
            bounded(name, value)
        settings = {**asked, **_SERVER_SETTINGS, "log_comment": self.request.query_id}
        # A reader keeps nothing between requests, so its sessions are of no use but to name them.
        if self.user.read_only or not self.request.session_id:
            with self.engine.connection() as connection:
                self.engine.set(connection, settings)
                return self._run(connection, pieces, reply)
        key = (self.user.name, self.request.session_id)
        with self.engine.session(key, self.request.session_timeout, self.request.session_check) as session:
            stale = [
                name for name in session.settings if name not in settings and not name.startswith("param_")
            ]
            self.engine.reset(session.connection, stale)
            self.engine.set(session.connection, settings)
            session.settings = settings
            summary = self._run(session.connection, pieces, reply)
        if self.request.close_session:
            self.engine.close_session(key)
        return summary

    def _run(self, connection: Any, pieces: Iterator[bytes], reply: Reply) -> Summary:
        if self.request.database:
            self.engine.use(connection, self.request.database)
        head = self.request.query + b"\n" if self.request.query else b""
        for piece in pieces:
            head += piece
            if len(head) >= _HEAD_BYTES:
                break
        insert = self.engine.parser.insert(head)
        if insert is None:
            return self._statement(connection, _whole(head, pieces), reply)
        if insert.selects:
            # chDB takes the statement and drops its rows.
            raise WarehouseServerError(48, "INSERT ... SELECT with rows behind FORMAT is not supported")
        if self.user.read_only or not self.may_write:
            raise WarehouseServerError(164, READ_ONLY)
        bound_settings(insert.tree)
        return self.engine.insert(connection, insert, chain((head[insert.data_offset :],), pieces))

    def _statement(self, connection: Any, sql: bytes, reply: Reply) -> Summary:
        engine, parser = self.engine, self.engine.parser
        statement = parser.read(sql, STATEMENT_BYTES if self.user.read_only else _WHOLE_BYTES)
        if self.user.read_only:
            judge(statement, engine.higher_order, self.request.settings)
            judge_format(statement.format or self.request.default_format)
            engine.set(connection, take_settings(statement))
        elif statement.names_a_file:
            raise WarehouseServerError(48, NAMES_A_FILE)
        bound_settings(statement.tree)
        # What a reader runs, and what returns rows in a stream, is run in the engine's own words.
        if self.user.read_only or statement.selects:
            parser.print(statement)
        text = statement.body or sql
        kind = engine.kind(connection, text)
        if not kind.statements and self.user.read_only:
            raise WarehouseServerError(
                306, "The statement is nested too deep, as a sum of 200 terms is; use arraySum"
            )
        if not kind.reads and (self.user.read_only or not self.may_write):
            raise WarehouseServerError(
                164, f"{READ_ONLY}. For queries over HTTP, method GET implies readonly"
            )
        if kind.controls and not statement.tree:
            raise WarehouseServerError(48, f"{NAMES_A_FILE}; and rights are not the engine's to give")
        for name, rows in self.files.items():
            self._table_of_file(connection, name, rows)
        if self.user.read_only:
            # Last, because nothing can be changed after it.
            engine.set(connection, {"readonly": "1"})
        reply.format = statement.format or self.request.default_format
        with self.watch(lambda: engine.kill(self.request.query_id)):
            if statement.selects:
                return engine.select(connection, statement.into, reply.format, reply.write)
            rows, summary = engine.execute(connection, text, reply.format)
        reply.write(rows)
        return summary

    def _table_of_file(self, connection: Any, name: str, rows: bytes) -> None:
        """Make an uploaded file a temporary table, as `name_structure` or `name_types` describe it."""
        described = self.request.settings
        types = described.get(f"{name}_types", "").split(",")
        structure = described.get(f"{name}_structure") or ", ".join(
            f"_{i} {t}" for i, t in enumerate(types, 1)
        )
        table = identifier(name)
        create = b"CREATE OR REPLACE TEMPORARY TABLE %s (%s) ENGINE = Memory" % (table, structure.encode())
        self.engine.execute(connection, create, "Null")
        insert = Insert(b"INSERT INTO " + table, described.get(f"{name}_format", "TabSeparated"), 0, {})
        self.engine.insert(connection, insert, iter((rows,)))


def _whole(head: bytes, pieces: Iterator[bytes]) -> bytes:
    parts = [head]
    size = len(head)
    for piece in pieces:
        size += len(piece)
        if size > _WHOLE_BYTES:
            raise WarehouseServerError(165, f"The statement is larger than {_WHOLE_BYTES >> 20} MiB")
        parts.append(piece)
    return b"".join(parts)
