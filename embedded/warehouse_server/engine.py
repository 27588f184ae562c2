"""chDB behind a small face: connections, sessions, and statements with streams on both ends."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from fcntl import F_SETPIPE_SZ, fcntl
from importlib import import_module
from typing import Any

from embedded.warehouse_server import native, statements
from embedded.warehouse_server.errors import ENGINE_ERRORS, StartError, WarehouseServerError
from embedded.warehouse_server.folder import DataFolder

DATABASES = ("ods", "dwd", "dws", "ads")
_SESSIONS = 100
_PIPE_BYTES = 1 << 20
_PORTION_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Summary:
    """What a finished statement did: rows and bytes read and written, seconds taken."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    elapsed: float = 0.0


@dataclass(frozen=True, slots=True)
class Kind:
    """What the engine's own parser says of a text: how many statements, and what they do.

    What steers the engine (KILL, SYSTEM) or writes a file `controls`.
    """

    statements: int
    reads: bool
    controls: bool


@dataclass(slots=True)
class Session:
    """A connection kept between requests, with the settings of the latest one.

    `database` is the session's own, as USE left it; `current` is where the latest request put it.
    """

    connection: Any
    lock: threading.Lock = field(default_factory=threading.Lock)
    settings: dict[str, str] = field(default_factory=dict)
    database: str = "default"
    current: str = "default"
    expires: float = 0.0


class Engine:
    """Owns the folder; every method may be called from any thread.

    Raises StartError when the folder cannot be opened, WarehouseServerError for what a statement does.
    """

    def __init__(self, folder: DataFolder, concurrency: int) -> None:
        self._chdb: Any = import_module("chdb._chdb")
        self._chdb.set_signal_handlers_enabled(0)
        self._path = str(folder.path)
        self._sessions: dict[tuple[str, str], Session] = {}
        self._sessions_lock = threading.Lock()
        self._writers = ThreadPoolExecutor(concurrency, thread_name_prefix="select")
        attach = (
            "ATTACH DATABASE default" if folder.has_default() else "CREATE DATABASE default ENGINE = Atomic"
        )
        try:
            self._keeper = self._chdb.connect(folder.address)
            # chDB's own `default` also shows files as tables, and asks for rights on files for every table.
            self._keeper.query("DETACH DATABASE default", "Null")
            self._keeper.query(attach, "Null")
            for name in DATABASES:
                self._keeper.query(f"CREATE DATABASE IF NOT EXISTS {name} ENGINE = Atomic", "Null")
        except RuntimeError as error:
            raise StartError(
                f"cannot open the warehouse folder {folder.path}: {str(error).splitlines()[0]}"
            ) from error
        self.version = self._keeper.query("SELECT version()", "TSVRaw").data().strip()
        self.parser = statements.Parser(lambda: self._chdb.connect(self._path))
        self.higher_order = set(
            self._keeper.query("SELECT lower(name) FROM system.functions WHERE higher_order", "TSVRaw")
            .data()
            .split()
        )

    @contextmanager
    def connection(self) -> Iterator[Any]:
        """A connection for one request alone; opening one costs about 0.1 ms."""
        connection = self._chdb.connect(self._path)
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def session(
        self, key: tuple[str, str], timeout: float, must_exist: bool, close: bool
    ) -> Iterator[Session]:
        """The session kept under `key`, held alone, and closed at the end if so asked.

        Raises code 373 when a second request holds it, 372 when there is none, 202 when there are too many.
        """
        with self._sessions_lock:
            session = self._sessions.get(key)
            if session is None:
                if must_exist:
                    raise WarehouseServerError(372, f"Session {key[1]} not found")
                if sum(user == key[0] for user, _ in self._sessions) >= _SESSIONS:
                    raise WarehouseServerError(
                        202, f"Too many sessions: {_SESSIONS} are open; close one, or let one time out"
                    )
                session = self._sessions[key] = Session(self._chdb.connect(self._path))
            if not session.lock.acquire(blocking=False):
                raise WarehouseServerError(373, f"Session {key[1]} is locked by a concurrent client")
        try:
            yield session
        finally:
            session.expires = time.monotonic() + (0 if close else timeout)
            session.lock.release()
            if close:
                self.expire_sessions()

    def expire_sessions(self) -> None:
        """Close the sessions whose time is over."""
        now = time.monotonic()
        over: list[Session] = []
        with self._sessions_lock:
            for key, session in list(self._sessions.items()):
                if session.expires <= now and session.lock.acquire(blocking=False):
                    over.append(self._sessions.pop(key))
        for session in over:
            session.connection.close()

    def settle(self, session: Session, settings: dict[str, str], database: str) -> None:
        """Put a session under a request's settings and in its database, whatever an earlier one asked."""
        stale = [name for name in session.settings if name not in settings and not name.startswith("param_")]
        self.reset(session.connection, stale)
        self.set(session.connection, settings)
        session.settings = settings
        database = database or session.database
        if database != session.current:
            self.use(session.connection, database)
            session.current = database

    def kind(self, connection: Any, sql: bytes) -> Kind:
        found = connection.classify_query(_text(sql))
        kind, classes = found["query_class"], self._chdb.query_class
        return Kind(found["statement_count"], kind == classes.READ_ONLY, kind == classes.CONTROL)

    def select(
        self,
        connection: Any,
        into: Callable[[str, str], bytes],
        format: str,
        write: Callable[[bytes], None],
    ) -> Summary:
        """Run a SELECT and hand its formatted result to `write` piece by piece, in bounded memory.

        The engine's own block stream repeats a format's head and tail for every block; so the engine writes
        the result into a pipe, as if into a file.
        """
        read_end, write_end = os.pipe()
        fcntl(write_end, F_SETPIPE_SZ, _PIPE_BYTES)
        piped = into(f"/dev/fd/{write_end}", format)

        def run() -> Any:
            try:
                return connection.query(piped, "Null")
            finally:
                os.close(write_end)

        running = self._writers.submit(run)
        try:
            while chunk := os.read(read_end, _PIPE_BYTES):
                write(chunk)
        finally:
            # When the reader gave up, this breaks the pipe, and with it the query.
            os.close(read_end)
            error = running.exception()
        if error is not None:
            raise WarehouseServerError.from_engine(error)
        return _summary(running.result())

    def execute(self, connection: Any, sql: bytes, format: str) -> tuple[bytes, Summary]:
        """Run a statement with a small result or none."""
        try:
            result = connection.query(sql, format)
        except ENGINE_ERRORS as error:
            raise WarehouseServerError.from_engine(error) from error
        return result.bytes(), _summary(result)

    def insert(self, connection: Any, insert: statements.Insert, rows: Iterator[bytes]) -> Summary:
        """Stream rows into a table; a stream that fails or ends early is cancelled."""
        try:
            stream = connection.send_insert(insert.head, insert.format)
            try:
                for portion in _portions(rows):
                    connection.insert_append(stream, portion)
            except BaseException:
                connection.insert_cancel(stream)
                raise
            return _summary(connection.insert_done(stream))
        except ENGINE_ERRORS as error:
            raise WarehouseServerError.from_engine(error) from error

    def set(self, connection: Any, settings: Mapping[str, str]) -> None:
        """Apply settings to a connection. Raises code 115 for an unknown one."""
        if settings:
            pairs = (
                identifier(name) + b" = " + _literal(value).encode("utf-8", "surrogateescape")
                for name, value in settings.items()
            )
            self.execute(connection, b"SET " + b", ".join(pairs), "Null")

    def reset(self, connection: Any, names: list[str]) -> None:
        """Put settings back to their defaults."""
        if names:
            pairs = (identifier(name) + b" = DEFAULT" for name in names)
            self.execute(connection, b"SET " + b", ".join(pairs), "Null")

    def database(self, connection: Any) -> str:
        """The database that a connection is in."""
        name, _ = self.execute(connection, b"SELECT currentDatabase()", "RawBLOB")
        return name.decode("utf-8", "surrogateescape")

    def use(self, connection: Any, database: str) -> None:
        self.execute(connection, b"USE " + identifier(database), "Null")

    def kill(self, private_id: str, how: str = "ASYNC", format: str = "Null") -> bytes:
        """End the running statement of a private id, if there is one; `log_comment` is where ids are kept."""
        with self.connection() as connection:
            sql = f"KILL QUERY WHERE Settings['log_comment'] = {_literal(private_id)} {how}"
            return self.execute(connection, sql.encode(), format)[0]

    def columns(self, connection: Any, select: bytes) -> list[bytes]:
        """Names and types of a SELECT's columns, each pair as the Native format writes it."""
        rows, _ = self.execute(connection, b"DESCRIBE TABLE (\n%s\n)" % select, "RowBinary")
        return native.columns_of(rows)


def _portions(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Join pieces: the engine takes one large portion half as fast again as the same bytes in small ones."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _PORTION_BYTES:
            yield b"".join(held)
            held, size = [], 0
    if size:
        yield b"".join(held)


def identifier(name: str) -> bytes:
    """A name quoted for SQL."""
    quoted = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{quoted}`".encode("utf-8", "surrogateescape")


def _literal(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _text(sql: bytes) -> str:
    return sql.decode("utf-8", "replace")


def _summary(result: Any) -> Summary:
    return Summary(
        result.storage_rows_read(),
        result.storage_bytes_read(),
        result.rows_written(),
        result.bytes_written(),
        result.elapsed(),
    )
