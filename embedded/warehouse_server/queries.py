"""What one request does to the engine: where rows begin, what a user may run, how it is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Protocol

from embedded.warehouse_server.access import User, bounded, reader_settings
from embedded.warehouse_server.engine import Engine, Session, Summary, identifier
from embedded.warehouse_server.errors import WarehouseServerError
from embedded.warehouse_server.native import Revised
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
from embedded.warehouse_server.running import Running, kill_mode, killed_query_id
from embedded.warehouse_server.statements import STATEMENT_BYTES, Insert, Statement

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
    """Where the result goes; without a result there is no format."""

    format: str | None

    def write(self, data: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Query:
    """One request of an authenticated user.

    `may_write` is false for GET, which ClickHouse takes as a promise to only read; `watch` ends the given
    callable's statement when the client goes away.
    """

    engine: Engine
    running: Running
    request: Request
    user: User
    may_write: bool
    files: dict[str, bytes]
    watch: Callable[[Callable[[], object]], AbstractContextManager[None]]

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
        request = self.request
        with self.running.entered(self.user.name, request.query_id) as private_id:
            settings = {**asked, **_SERVER_SETTINGS, "log_comment": private_id}
            if request.revision:
                # A type's name goes into the Native format on one line.
                settings["print_pretty_type_names"] = "0"
            # A reader keeps nothing between requests, so its sessions are of no use but to name them.
            if self.user.read_only or not request.session_id:
                with self.engine.connection() as connection:
                    session = Session(connection)
                    self.engine.settle(session, settings, request.database)
                    return self._run(session, private_id, pieces, reply)
            key = (self.user.name, request.session_id)
            kept = self.engine.session(
                key, request.session_timeout, request.session_check, request.close_session
            )
            with kept as session:
                self.engine.settle(session, settings, request.database)
                return self._run(session, private_id, pieces, reply)

    def _run(self, session: Session, private_id: str, pieces: Iterator[bytes], reply: Reply) -> Summary:
        head = self.request.query + b"\n" if self.request.query else b""
        for piece in pieces:
            head += piece
            if len(head) >= _HEAD_BYTES:
                break
        insert = self.engine.parser.insert(head)
        if insert is None:
            return self._statement(session, private_id, _whole(head, pieces), reply)
        if insert.selects:
            # chDB takes the statement and drops its rows.
            raise WarehouseServerError(48, "INSERT ... SELECT with rows behind FORMAT is not supported")
        if self.user.read_only or not self.may_write:
            raise WarehouseServerError(164, READ_ONLY)
        bound_settings(insert.tree)
        return self.engine.insert(session.connection, insert, chain((head[insert.data_offset :],), pieces))

    def _statement(self, session: Session, private_id: str, sql: bytes, reply: Reply) -> Summary:
        engine, parser, connection = self.engine, self.engine.parser, session.connection
        statement = parser.read(sql, STATEMENT_BYTES if self.user.read_only else _WHOLE_BYTES)
        format = statement.format or self.request.default_format
        if self.user.read_only:
            judge_format(format)
        query_id = killed_query_id(statement.tree, self.user.name)
        killed = query_id and self.running.private(self.user.name, query_id)
        if killed or (query_id and self.user.read_only):
            # A reader learns nothing of what is not its own: there is no such query.
            rows = engine.kill(killed, kill_mode(statement.tree), format) if killed else b""
            self._answer(rows, format, reply)
            return Summary()
        if self.user.read_only:
            judge(statement, engine.higher_order, self.request.settings)
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
        with self.watch(partial(engine.kill, private_id)):
            if statement.selects:
                reply.format = format
                return self._select(connection, statement, format, reply)
            rows, summary = engine.execute(connection, text, format)
        if statement.tree.get("type") == "UseQuery":
            session.database = session.current = engine.database(connection)
        self._answer(rows, format if rows or kind.reads else None, reply)
        return summary

    def _select(self, connection: Any, statement: Statement, format: str, reply: Reply) -> Summary:
        if format != "Native" or not self.request.revision:
            return self.engine.select(connection, statement.into, format, reply.write)
        columns = self.engine.columns(connection, statement.body)
        revised = Revised(columns, self.request.revision, reply.write)
        summary = self.engine.select(connection, statement.into, "Buffers", revised.write)
        revised.finish()
        return summary

    def _answer(self, rows: bytes, format: str | None, reply: Reply) -> None:
        """Hand on a small result; Native is written again in the revision that the client asks for."""
        reply.format = format
        if rows and format == "Native" and self.request.revision:
            with self.engine.connection() as connection:
                # Its size is that of the result, which the server itself has made.
                self.engine.set(connection, {"max_query_size": "0"})
                again = Statement(
                    b"", {}, body=b"SELECT * FROM format(Native, unhex('%s'))" % rows.hex().encode()
                )
                self._select(connection, again, "Native", reply)
        else:
            reply.write(rows)

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
