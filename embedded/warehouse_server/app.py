"""The HTTP server: one thread a connection, one chDB connection a request."""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import uuid4

from embedded.warehouse_server import protocol, statements
from embedded.warehouse_server.access import User, Users, reader_settings
from embedded.warehouse_server.engine import Engine, Summary
from embedded.warehouse_server.errors import WarehouseServerError

# ClickHouse's max_query_size: how much is read to find where a statement ends and its rows begin.
_HEAD_BYTES = 262_144
# What is held back before the status line goes out, so that an early error still has its own status.
_HOLD_BYTES = 1 << 20
_DISPLAY_NAME = "tidemark"


class WarehouseServer(ThreadingHTTPServer):
    """Serves `engine` to `users` until `shutdown`; `active` counts the requests under way."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], engine: Engine, users: Users) -> None:
        self.engine = engine
        self.users = users
        self.active = 0
        self.idle = threading.Condition()
        self.disconnects = Disconnects()
        super().__init__(address, Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no event."""

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self.idle:
            self.active += 1
        try:
            yield
        finally:
            with self.idle:
                self.active -= 1
                self.idle.notify_all()

    def drain(self, seconds: float) -> bool:
        """Wait for the requests under way; False when some still run."""
        with self.idle:
            return self.idle.wait_for(lambda: self.active == 0, seconds)


class Disconnects:
    """Calls back when the client of a running statement closes its connection."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callable[[], None]] = {}
        threading.Thread(target=self._watch, name="disconnects", daemon=True).start()

    @contextmanager
    def watch(self, connection: socket.socket, gone: Callable[[], None]) -> Iterator[None]:
        number = connection.fileno()
        self._callbacks[number] = gone
        self._epoll.register(number, select.EPOLLRDHUP | select.EPOLLONESHOT)
        try:
            yield
        finally:
            self._epoll.unregister(number)
            self._callbacks.pop(number, None)

    def _watch(self) -> None:
        while True:
            for number, _ in self._epoll.poll():
                gone = self._callbacks.pop(number, None)
                if gone is not None:
                    threading.Thread(target=gone, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    """One connection; its requests one after another."""

    protocol_version = "HTTP/1.1"
    server_version = "ClickHouse"
    timeout = 300
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    @property
    def owner(self) -> WarehouseServer:
        return cast(WarehouseServer, self.server)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged; the supervisor's log is for what goes wrong."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/ping":
            self._plain("Ok.\n")
        elif path == "/replicas_status":
            self._plain("Ok.\n")
        elif path == "/" and not urlsplit(self.path).query:
            self._plain("Ok.\n")
        else:
            self._query(path)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self._query(urlsplit(self.path).path)

    def _plain(self, text: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=UTF-8")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text.encode())

    def _query(self, path: str) -> None:
        if path not in ("/", "/query"):
            self._plain(f"There is no handle {path}\n\nUse / for queries and /ping to see whether the server is up.\n", 404)
            return
        response = Response(self, str(uuid4()), None, "")
        with self.owner.counted():
            try:
                request = protocol.parse(urlsplit(self.path).query, self.headers)
                response = Response(self, request.query_id, request.accept_encoding, request.default_format)
                user = self.owner.users.authenticate(request.user, request.password)
                summary = self._run(request, user, response)
            except WarehouseServerError as error:
                # What the client still sends is not read, so the connection cannot be used again.
                self.close_connection = True
                response.fail(error)
            else:
                response.finish(summary)
            self.wfile.flush()

    def _run(self, request: protocol.Request, user: User, response: Response) -> Summary:
        engine = self.owner.engine
        pieces = protocol.body(self.rfile, self.headers)
        head = request.query + b"\n" if request.query else b""
        for piece in pieces:
            head += piece
            if len(head) >= _HEAD_BYTES:
                break
        settings = {name: value for name, value in request.settings.items() if name != "log_comment"}
        settings["log_comment"] = request.query_id
        if user.read_only:
            settings = reader_settings(settings)
        key = (user.name, request.session_id)
        if not request.session_id or user.read_only:
            with engine.connection() as connection:
                engine.settings(connection, settings)
                return self._statement(request, user, response, connection, head, pieces)
        with engine.session(key, request.session_timeout, request.session_check) as session:
            stale = [name for name in session.settings if name not in settings]
            if stale:
                engine.execute(
                    session.connection, ("SET " + ", ".join(f"{name} = DEFAULT" for name in stale)).encode(), "Null"
                )
            engine.settings(session.connection, settings)
            session.settings = settings
            summary = self._statement(request, user, response, session.connection, head, pieces)
        if request.close_session:
            engine.close_session(key)
        return summary

    def _statement(
        self,
        request: protocol.Request,
        user: User,
        response: Response,
        connection: Any,
        head: bytes,
        pieces: Iterator[bytes],
    ) -> Summary:
        engine = self.owner.engine
        if request.database:
            engine.use(connection, request.database)
        insert = statements.split_insert(head)
        if insert is not None and (user.read_only or self.command != "POST"):
            raise WarehouseServerError(164, "Cannot execute query in readonly mode")
        if insert is not None and not insert.needs_whole_text:
            return engine.insert(connection, insert, chain((head[insert.data_offset :],), pieces))
        sql = head + b"".join(pieces)
        kind = connection.classify_query(sql.decode("utf-8", "surrogateescape"))
        if kind["statement_count"] > 1:
            raise WarehouseServerError(62, "Syntax error: Multi-statements are not allowed")
        reads = kind["query_class"].name == "READ_ONLY"
        if not reads and (user.read_only or self.command != "POST"):
            raise WarehouseServerError(164, "Cannot execute query in readonly mode")
        if user.read_only:
            engine.execute(connection, b"SET readonly = 1", "Null")
        with self.owner.disconnects.watch(self.connection, lambda: engine.kill(request.query_id)):
            if reads and statements.first_word(sql) in ("SELECT", "WITH", "FROM"):
                return engine.select(connection, sql, request.default_format, response.write)
            rows, summary = engine.execute(connection, sql, request.default_format)
            response.write(rows)
            return summary


class Response:
    """A reply that is held back until it is large or finished, then streamed in chunks."""

    def __init__(self, handler: Handler, query_id: str, encoding: str | None, format_name: str) -> None:
        self._handler = handler
        self._query_id = query_id
        self._encoding = encoding
        self._format = format_name
        self._compress, self._flush = protocol.encoder(encoding)
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._streaming = False
        self._tag = uuid4().hex[:16]

    def write(self, data: bytes) -> None:
        if self._streaming:
            self._chunk(self._compress(data))
            return
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes > _HOLD_BYTES:
            self._head(200, {"Transfer-Encoding": "chunked"}, None)
            self._streaming = True
            self._chunk(self._compress(b"".join(self._held)))
            self._held.clear()

    def finish(self, summary: Summary) -> None:
        if self._streaming:
            self._chunk(self._flush())
            self._handler.wfile.write(b"0\r\n\r\n")
            return
        data = self._compress(b"".join(self._held)) + self._flush()
        self._head(200, {"Content-Length": str(len(data))}, summary)
        if self._handler.command != "HEAD":
            self._handler.wfile.write(data)

    def fail(self, error: WarehouseServerError) -> None:
        text = error.body(self._handler.owner.engine.version)
        if self._streaming:
            # The status is sent already: the error goes into the body, framed as ClickHouse frames it,
            # and the missing last chunk tells every other client.
            message = text.encode()
            framed = b"\r\n__exception__\r\n%s\r\n%s%d %s\r\n__exception__\r\n" % (
                self._tag.encode(), message, len(message), self._tag.encode(),
            )  # fmt: skip
            self._chunk(self._compress(framed) + self._flush())
            return
        self._encoding = None
        self._head(error.http_status, {"Content-Length": str(len(text.encode())), "Connection": "close"}, None, error.code)
        self._handler.wfile.write(text.encode())

    def _chunk(self, data: bytes) -> None:
        if data:
            self._handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _head(self, status: int, extra: dict[str, str], summary: Summary | None, code: int | None = None) -> None:
        handler = self._handler
        handler.send_response(status)
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "X-ClickHouse-Server-Display-Name": _DISPLAY_NAME,
            "X-ClickHouse-Query-Id": self._query_id,
            "X-ClickHouse-Format": self._format,
            "X-ClickHouse-Timezone": "UTC",
            "X-ClickHouse-Exception-Tag": self._tag,
            **extra,
        }
        if self._encoding:
            headers["Content-Encoding"] = self._encoding
        if code is not None:
            headers["X-ClickHouse-Exception-Code"] = str(code)
        done = summary or Summary()
        headers["X-ClickHouse-Summary"] = json.dumps(
            {
                "read_rows": str(done.read_rows),
                "read_bytes": str(done.read_bytes),
                "written_rows": str(done.written_rows),
                "written_bytes": str(done.written_bytes),
                "elapsed_ns": str(int(done.elapsed * 1e9)),
            }
        )
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
