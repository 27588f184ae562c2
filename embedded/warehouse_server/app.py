"""The HTTP server: one thread a connection, replies held back until their status is certain."""

from __future__ import annotations

import json
import select
import shutil
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from tempfile import SpooledTemporaryFile
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import uuid4

from embedded.warehouse_server import protocol
from embedded.warehouse_server.access import Users
from embedded.warehouse_server.engine import Engine, Summary
from embedded.warehouse_server.errors import WarehouseServerError
from embedded.warehouse_server.queries import Query

# What is held back before the status line goes out, so that an early error still has its own status.
_HOLD_BYTES = 1 << 20
# Beyond this, an answer that must be whole before it is sent waits on disk.
_MEMORY_BYTES = 16 << 20
_DISCARD_SECONDS = 10.0
_CONTENT_TYPES = {
    "JSON": "application/json; charset=UTF-8",
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "TSV": "text/tab-separated-values; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "CSVWithNames": "text/csv; charset=UTF-8; header=present",
    "Native": "application/octet-stream",
    "RowBinary": "application/octet-stream",
    "Parquet": "application/octet-stream",
    "Arrow": "application/octet-stream",
    "ArrowStream": "application/octet-stream",
}


class WarehouseServer(ThreadingHTTPServer):
    """Listens at once, answers from `start` on; after `shutdown`, `drain` waits for what is under way."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int]) -> None:
        self.engine: Engine
        self.users: Users
        self.stopping = False
        self.disconnects = Disconnects()
        self._active = 0
        self._changed = threading.Condition()
        super().__init__(address, Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no event; anything else is a fault of ours."""
        if not isinstance(sys.exception(), OSError):
            traceback.print_exc()

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self._changed:
            self._active += 1
        try:
            yield
        finally:
            with self._changed:
                self._active -= 1
                self._changed.notify_all()

    def start(self, engine: Engine, users: Users) -> None:
        """Take requests until `shutdown`."""
        self.engine, self.users = engine, users
        self.serve_forever(poll_interval=0.1)

    def drain(self, seconds: float) -> int:
        """Wait for the requests under way; how many still run."""
        self.stopping = True
        with self._changed:
            self._changed.wait_for(lambda: self._active == 0, seconds)
            return self._active


class Disconnects:
    """Ends a running statement when its client has closed the connection."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._on_close: dict[int, Callable[[], None]] = {}
        threading.Thread(target=self._poll, name="disconnects", daemon=True).start()

    @contextmanager
    def watch(self, client: socket.socket, kill: Callable[[], None]) -> Iterator[None]:
        number, done = client.fileno(), threading.Event()

        def kill_until_done() -> None:
            # The statement may not have started yet, so once is not enough.
            while not done.wait(0.1):
                kill()

        self._on_close[number] = kill_until_done
        self._epoll.register(number, select.EPOLLRDHUP | select.EPOLLONESHOT)
        try:
            yield
        finally:
            done.set()
            self._epoll.unregister(number)
            self._on_close.pop(number, None)

    def _poll(self) -> None:
        while True:
            for number, _ in self._epoll.poll():
                if on_close := self._on_close.pop(number, None):
                    threading.Thread(target=on_close, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    """One connection; its requests one after another."""

    protocol_version = "HTTP/1.1"
    server_version = "ClickHouse"
    sys_version = ""
    timeout = 300
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    @property
    def owner(self) -> WarehouseServer:
        return cast(WarehouseServer, self.server)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: the log is for what goes wrong."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path in ("/ping", "/replicas_status") or (url.path == "/" and not url.query):
            self.plain(200, "Ok.\n")
        else:
            self._query(url.path, url.query)

    def do_HEAD(self) -> None:
        self.plain(200, "")

    def do_POST(self) -> None:
        url = urlsplit(self.path)
        self._query(url.path, url.query)

    def plain(self, status: int, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=UTF-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _query(self, path: str, parameters: str) -> None:
        if path not in ("/", "/query") or self.owner.stopping:
            self.close_connection = True
            if path not in ("/", "/query"):
                self.plain(404, f"There is no handle {path}\n\nUse / for queries and /ping for health.\n")
            else:
                self.plain(503, "The server is stopping\n")
            return
        with self.owner.counted():
            reply = Reply(self, str(uuid4()), None, False)
            body: protocol.Body | None = None
            try:
                body = protocol.Body(self.rfile, self.headers)
                request = protocol.parse(parameters, self.headers)
                reply = Reply(self, request.query_id, request.accept_encoding, request.wait_end_of_query)
                user = self.owner.users.authenticate(request.user, request.password)
                form = body.form()
                if form is not None:
                    request = protocol.parse(parameters, self.headers, form.fields)
                query = Query(
                    engine=self.owner.engine,
                    request=request,
                    user=user,
                    may_write=self.command == "POST",
                    files=form.files if form else {},
                    watch=lambda kill: self.owner.disconnects.watch(self.connection, kill),
                )
                with self.owner.engine.slot():
                    summary = query.run(iter(()) if form else iter(body), reply)
            except WarehouseServerError as error:
                self._fail(reply, body, error)
            except (ConnectionError, TimeoutError):
                raise
            except Exception as error:
                traceback.print_exc()
                self._fail(reply, body, WarehouseServerError(1002, f"The server failed: {error!r}"))
            else:
                reply.finish(summary)
            self.wfile.flush()

    def _fail(self, reply: Reply, body: protocol.Body | None, error: WarehouseServerError) -> None:
        # A client reads the answer only after it has sent everything.
        reusable = body is not None and body.discard(_DISCARD_SECONDS)
        self.close_connection = not reusable or reply.streaming
        reply.fail(error, self.owner.engine.version)


class Reply:
    """An answer held back until it is large or finished, then streamed; if `whole`, until finished."""

    def __init__(self, handler: Handler, query_id: str, encoding: str | None, whole: bool) -> None:
        self.format = "TabSeparated"
        self.streaming = False
        self._handler = handler
        self._query_id = query_id
        self._encoding = encoding
        self._compress, self._flush = protocol.encoder(encoding)
        self._whole = whole
        self._held = SpooledTemporaryFile(max_size=_MEMORY_BYTES)  # noqa: SIM115  dropped with the reply
        self._tag = uuid4().hex[:16]

    def write(self, data: bytes) -> None:
        data = self._compress(data)
        if self.streaming:
            self._chunk(data)
            return
        self._held.write(data)
        if not self._whole and self._held.tell() > _HOLD_BYTES:
            self._head(200, {"Transfer-Encoding": "chunked"}, Summary())
            self.streaming = True
            self._held.seek(0)
            self._chunk(self._held.read())

    def finish(self, summary: Summary) -> None:
        if self.streaming:
            self._chunk(self._flush())
            self._handler.wfile.write(b"0\r\n\r\n")
            return
        self._held.write(self._flush())
        self._head(200, {"Content-Length": str(self._held.tell())}, summary)
        self._held.seek(0)
        shutil.copyfileobj(self._held, self._handler.wfile, _HOLD_BYTES)

    def fail(self, error: WarehouseServerError, version: str) -> None:
        text = error.body(version).encode()
        if self.streaming:
            # The status has gone out: the error goes into the body, framed as ClickHouse frames it, and
            # the last chunk stays away, which every other client takes as a broken answer.
            tag = self._tag.encode()
            frame = b"\r\n__exception__\r\n%s\r\n%s%d %s\r\n__exception__\r\n" % (tag, text, len(text), tag)
            self._chunk(self._compress(frame) + self._flush())
            return
        self._encoding = None
        headers = {"Content-Length": str(len(text)), "X-ClickHouse-Exception-Code": str(error.code)}
        if self._handler.close_connection:
            headers["Connection"] = "close"
        self._head(error.http_status, headers, Summary())
        self._handler.wfile.write(text)

    def _chunk(self, data: bytes) -> None:
        if data:
            self._handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _head(self, status: int, extra: dict[str, str], summary: Summary) -> None:
        headers = {
            "Content-Type": _CONTENT_TYPES.get(self.format, "text/plain; charset=UTF-8"),
            "X-ClickHouse-Server-Display-Name": "tidemark",
            "X-ClickHouse-Query-Id": self._query_id,
            "X-ClickHouse-Format": self.format,
            "X-ClickHouse-Timezone": "UTC",
            "X-ClickHouse-Exception-Tag": self._tag,
            "X-ClickHouse-Summary": json.dumps(
                {
                    "read_rows": str(summary.read_rows),
                    "read_bytes": str(summary.read_bytes),
                    "written_rows": str(summary.written_rows),
                    "written_bytes": str(summary.written_bytes),
                    "elapsed_ns": str(int(summary.elapsed * 1e9)),
                }
            ),
            **extra,
        }
        if self._encoding:
            headers["Content-Encoding"] = self._encoding
        self._handler.send_response(status)
        for name, value in headers.items():
            self._handler.send_header(name, value)
        self._handler.end_headers()
