"""The one chDB data folder: connections, sessions, and statements with streams on both ends."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from fcntl import F_SETPIPE_SZ, fcntl
from pathlib import Path
from typing import Any

from embedded.warehouse_server import statements
from embedded.warehouse_server.errors import StartError, WarehouseServerError

DATABASES = ("ods", "dwd", "dws", "ads")
_PIPE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Summary:
    """What a finished statement did: rows and bytes read and written, seconds taken."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    elapsed: float = 0.0


@dataclass(slots=True)
class _Session:
    connection: Any
    timeout: float
    lock: threading.Lock = field(default_factory=threading.Lock)
    settings: dict[str, str] = field(default_factory=dict)
    expires: float = 0.0


class Engine:
    """Owns the folder; every method may be called from any thread.

    Raises StartError when the folder cannot be opened, WarehouseServerError for what a statement does.
    """

    def __init__(self, data: Path, concurrency: int = 100) -> None:
        try:
            data.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StartError(f"cannot create the warehouse folder {data}: {error.strerror}") from error
        from chdb import _chdb

        _chdb.set_signal_handlers_enabled(0)
        self._chdb = _chdb
        self._path = str(data.resolve())
        self._sessions: dict[tuple[str, str], _Session] = {}
        self._sessions_lock = threading.Lock()
        self._runners = ThreadPoolExecutor(concurrency, thread_name_prefix="query")
        try:
            self._keeper = _chdb.connect(self._path)
            for name in DATABASES:
                self._keeper.query(f"CREATE DATABASE IF NOT EXISTS {name} ENGINE = Atomic", "Null")
        except RuntimeError as error:
            raise StartError(f"cannot open the warehouse folder {data}: {str(error).splitlines()[0]}") from error
        self.version = str(self._keeper.query("SELECT version()", "TSV").data()).strip()

    @contextmanager
    def connection(self) -> Iterator[Any]:
        """A connection of one request's own; opening one costs about 0.1 ms."""
        connection = self._chdb.connect(self._path)
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def session(self, key: tuple[str, str], timeout: float, must_exist: bool) -> Iterator[_Session]:
        """The connection kept under `key`, held alone; a second request meanwhile gets code 373."""
        with self._sessions_lock:
            self._expire_sessions()
            session = self._sessions.get(key)
            if session is None:
                if must_exist:
                    raise WarehouseServerError(372, f"Session {key[1]} not found")
                session = self._sessions[key] = _Session(self._chdb.connect(self._path), timeout)
            if not session.lock.acquire(blocking=False):
                raise WarehouseServerError(373, f"Session {key[1]} is locked by a concurrent client")
        try:
            yield session
        finally:
            session.timeout = timeout
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

    def select(self, connection: Any, sql: bytes, default_format: str, write: Callable[[bytes], None]) -> Summary:
        """Run a SELECT and hand its formatted result to `write` piece by piece, in bounded memory.

        The engine's own block stream repeats each format's head and tail for every block, so it writes
        the result into a pipe instead, as if into a file.
        """
        read_end, write_end = os.pipe()
        fcntl(write_end, F_SETPIPE_SZ, _PIPE_BYTES)
        piped = statements.split_format(sql).into(f"/dev/fd/{write_end}", default_format)

        def run() -> Any:
            try:
                return connection.query(piped, "Null")
            finally:
                os.close(write_end)

        result = self._runners.submit(run)
        try:
            while chunk := os.read(read_end, _PIPE_BYTES):
                write(chunk)
        finally:
            # A reader that gave up breaks the pipe, and with it the query.
            os.close(read_end)
            error = result.exception()
        if error is not None:
            raise WarehouseServerError.from_engine(error)
        return _summary(result.result())

    def execute(self, connection: Any, sql: bytes, default_format: str) -> tuple[bytes, Summary]:
        """Run a statement with a small result or none."""
        try:
            result = connection.query(sql, default_format)
        except RuntimeError as error:
            raise WarehouseServerError.from_engine(error) from error
        return result.bytes(), _summary(result)

    def insert(self, connection: Any, insert: statements.Insert, rows: Iterator[bytes]) -> Summary:
        """Stream rows into a table; a failing or truncated stream leaves nothing of itself behind."""
        try:
            stream = connection.send_insert(insert.head, insert.format)
            try:
                for chunk in rows:
                    if chunk:
                        connection.insert_append(stream, chunk)
            except BaseException:
                connection.insert_cancel(stream)
                raise
            return _summary(connection.insert_done(stream))
        except RuntimeError as error:
            raise WarehouseServerError.from_engine(error) from error

    def settings(self, connection: Any, settings: Mapping[str, str]) -> None:
        """Apply settings to a connection. Raises code 115 for an unknown one."""
        if settings:
            pairs = ", ".join(f"{_name(name)} = {_literal(value)}" for name, value in settings.items())
            self.execute(connection, f"SET {pairs}".encode(), "Null")

    def use(self, connection: Any, database: str) -> None:
        quoted = database.replace("\\", "\\\\").replace("`", "\\`")
        self.execute(connection, f"USE `{quoted}`".encode("utf-8", "surrogateescape"), "Null")

    def kill(self, query_id: str) -> None:
        """End the running statement of that id, if there is one."""
        with self.connection() as connection:
            self.execute(
                connection, f"KILL QUERY WHERE Settings['log_comment'] = {_literal(query_id)} ASYNC".encode(), "Null"
            )

    def close(self) -> None:
        for session in self._sessions.values():
            session.connection.close()
        self._runners.shutdown(wait=False, cancel_futures=True)
        self._keeper.close()


def _summary(result: Any) -> Summary:
    return Summary(
        result.rows_read(), result.bytes_read(), result.rows_written(), result.bytes_written(), result.elapsed()
    )


def _literal(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _name(name: str) -> str:
    if not name.replace("_", "").replace(".", "").isalnum():
        raise WarehouseServerError(115, f"Unknown setting '{name}'")
    return name
