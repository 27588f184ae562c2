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

from embedded.warehouse_server import statements
from embedded.warehouse_server.errors import StartError, WarehouseServerError
from embedded.warehouse_server.folder import DataFolder

DATABASES = ("ods", "dwd", "dws", "ads")
_PIPE_BYTES = 1 << 20
_PORTION_BYTES = 16 << 20
_QUEUE_SECONDS = 10.0


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
    """A connection kept between requests, with the settings of the latest one."""

    connection: Any
    lock: threading.Lock = field(default_factory=threading.Lock)
    settings: dict[str, str] = field(default_factory=dict)
    expires: float = 0.0


class Engine:
    """Owns the folder; every method may be called from any thread.

    Raises StartError when the folder cannot be opened, WarehouseServerError for what a statement does.
    """

    def __init__(self, folder: DataFolder, concurrency: int = 100) -> None:
        self._chdb: Any = import_module("chdb._chdb")
        self._chdb.set_signal_handlers_enabled(0)
        self._path = str(folder.path)
        self._sessions: dict[tuple[str, str], Session] = {}
        self._sessions_lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(concurrency)
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
    def slot(self) -> Iterator[None]:
        """A place among the statements that may run at once. Raises code 202 after a wait."""
        if not self._slots.acquire(timeout=_QUEUE_SECONDS):
            raise WarehouseServerError(202, "Too many simultaneous queries; try again later")
        try:
            yield
        finally:
            self._slots.release()

    @contextmanager
    def connection(self) -> Iterator[Any]:
        """A connection for one request alone; opening one costs about 0.1 ms."""
        connection = self._chdb.connect(self._path)
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def session(self, key: tuple[str, str], timeout: float, must_exist: bool) -> Iterator[Session]:
        """The session kept under `key`, held alone: code 373 for a second request meanwhile, 372 for none."""
        with self._sessions_lock:
            self._expire_sessions()
            session = self._sessions.get(key)
            if session is None:
                if must_exist:
                    raise WarehouseServerError(372, f"Session {key[1]} not found")
                session = self._sessions[key] = Session(self._chdb.connect(self._path))
            if not session.lock.acquire(blocking=False):
                raise WarehouseServerError(373, f"Session {key[1]} is locked by a concurrent client")
        try:
            yield session
        finally:
            session.expires = time.monotonic() + timeout
            session.lock.release()

    def close_session(self, key: tuple[str, str]) -> None:
        with self._sessions_lock:
            session = self._sessions.pop(key, None)
        if session is not None:
            session.connection.close()

    def _expire_sessions(self) -> None:
        now = time.monotonic()
        for key, session in list(self._sessions.items()):
            if session.expires < now and session.lock.acquire(blocking=False):
                del self._sessions[key]
                session.connection.close()

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
        except RuntimeError as error:
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
        except RuntimeError as error:
            raise WarehouseServerError.from_engine(error) from error

    def set(self, connection: Any, settings: Mapping[str, str]) -> None:
        """Apply settings to a connection. Raises code 115 for an unknown one."""
        if settings:
            pairs = ", ".join(f"{_setting(name)} = {_literal(value)}" for name, value in settings.items())
            self.execute(connection, f"SET {pairs}".encode("utf-8", "surrogateescape"), "Null")

    def reset(self, connection: Any, names: list[str]) -> None:
        """Put settings back to their defaults."""
        if names:
            self.execute(
                connection, f"SET {', '.join(f'{name} = DEFAULT' for name in names)}".encode(), "Null"
            )

    def use(self, connection: Any, database: str) -> None:
        self.execute(connection, b"USE " + identifier(database), "Null")

    def kill(self, query_id: str) -> None:
        """End the running statement of that id, if there is one; `log_comment` is where ids are kept."""
        condition = f"KILL QUERY WHERE Settings['log_comment'] = {_literal(query_id)} ASYNC"
        with self.connection() as connection:
            self.execute(connection, condition.encode("utf-8", "surrogateescape"), "Null")


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


def _setting(name: str) -> str:
    if not (name.isascii() and name.replace("_", "").replace(".", "").isalnum()):
        raise WarehouseServerError(115, f"Unknown setting '{name}'")
    return name


def _text(sql: bytes) -> str:
    return sql.decode("utf-8", "replace")


def _summary(result: Any) -> Summary:
    return Summary(
        result.rows_read(),
        result.bytes_read(),
        result.rows_written(),
        result.bytes_written(),
        result.elapsed(),
    )
