"""The HTTP server: one thread a connection, replies held back until their status is certain."""

from __future__ import annotations

import json
import shutil
import sys
import threading
import traceback
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from http.client import LineTooLong
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase, BufferedReader
from tempfile import SpooledTemporaryFile
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import uuid4

from embedded.warehouse_server import codecs, protocol
from embedded.warehouse_server.access import Users
from embedded.warehouse_server.body import Body
from embedded.warehouse_server.connections import Connections, Disconnects
from embedded.warehouse_server.engine import Engine, Summary
from embedded.warehouse_server.errors import WarehouseServerError
from embedded.warehouse_server.queries import Query
from embedded.warehouse_server.running import Running

# What is held back before the status line goes out, so that an early error still has its own status.
_HOLD_BYTES = 1 << 20
# Beyond this, an answer that must be whole before it is sent waits on disk.
_MEMORY_BYTES = 16 << 20
# How long a client may take to begin a request, to send its head, to end one that has failed.
_IDLE_SECONDS, _HEAD_SECONDS, _DISCARD_SECONDS = 300.0, 20.0, 10.0
_HEAD_BYTES = 256 << 10
# A reader sends statements, not rows.
_READER_BODY_BYTES = 16 << 20
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
        self.hosts: Collection[str] = ()
        self.stopping = False
        self.running = Running()
        self.connections = Connections()
        self.disconnects = Disconnects()
        self._active = 0
        self._changed = threading.Condition()
        super().__init__(address, Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no event; anything else is a fault of ours."""
        if not isinstance(sys.exception(), OSError):
            traceback.print_exc()

    def process_request(self, request: Any, client_address: Any) -> None:
        if self.connections.admit(request, _HEAD_SECONDS):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:
        self.connections.left(request)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Ten times a second; what fails here must not end the loop that takes requests."""
        try:
            self.connections.cut_late()
            self.engine.expire_sessions()
        except Exception:
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

    def start(self, engine: Engine, users: Users, hosts: Collection[str]) -> None:
        """Take requests until `shutdown`; `hosts` are the names besides localhost that it is called by."""
        self.engine, self.users, self.hosts = engine, users, hosts
        self.serve_forever(poll_interval=0.1)

    def drain(self, seconds: float) -> int:
        """Wait for the requests under way; how many still run."""
        self.stopping = True
        with self._changed:
            self._changed.wait_for(lambda: self._active == 0, seconds)
            return self._active


class Handler(BaseHTTPRequestHandler):
    """One connection; its requests one after another."""

    protocol_version = "HTTP/1.1"
    server_version = "ClickHouse"
    sys_version = ""
    timeout = _IDLE_SECONDS
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    @property
    def owner(self) -> WarehouseServer:
        return cast(WarehouseServer, self.server)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: the log is for what goes wrong."""

    def handle_one_request(self) -> None:
        """Wait for a request, which from its first byte on has to come in time, and serve it."""
        connections = self.owner.connections
        connections.dawdles(self.connection, _IDLE_SECONDS)
        with suppress(TimeoutError):
            if cast(BufferedReader, self.rfile).peek(1):
                connections.dawdles(self.connection, _HEAD_SECONDS)
                super().handle_one_request()
                return
        self.close_connection = True

    def parse_request(self) -> bool:
        body, self.rfile = self.rfile, cast(BufferedIOBase, _Head(self.rfile))
        try:
            parsed = super().parse_request()
        finally:
            self.rfile = body
        self.owner.connections.works(self.connection)
        return parsed

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
            reply = Reply(self, str(uuid4()), None, False, False)
            body: Body | None = None
            owner = self.owner
            try:
                body = Body(self.rfile, self.headers)
                protocol.refuse_pages(self.headers, owner.hosts)
                request = protocol.parse(parameters, self.headers)
                reply = Reply(
                    self,
                    request.query_id,
                    request.accept_encoding,
                    request.compress,
                    request.wait_end_of_query,
                )
                user = owner.users.authenticate(request.user, request.password)
                body.blocks = request.decompress
                body.most = _READER_BODY_BYTES if user.read_only else None
                with (owner.running.readers if user.read_only else owner.running.writers).taken():
                    form = body.form()
                    if form is not None:
                        request = protocol.parse(parameters, self.headers, form.fields)
                    query = Query(
                        engine=owner.engine,
                        running=owner.running,
                        request=request,
                        user=user,
                        may_write=self.command == "POST",
                        files=form.files if form else {},
                        watch=lambda kill: owner.disconnects.watch(self.connection, kill),
                    )
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

    def _fail(self, reply: Reply, body: Body | None, error: WarehouseServerError) -> None:
        # A client reads the answer only after it has sent everything.
        self.owner.connections.dawdles(self.connection, _DISCARD_SECONDS)
        reusable = body is not None and body.discard(_DISCARD_SECONDS)
        self.owner.connections.works(self.connection)
        self.close_connection |= not reusable or reply.streaming  # the client may have asked for it
        reply.fail(error, self.owner.engine.version)


class _Head:
    """Lines of a request's head, up to a size that no client comes near to."""

    def __init__(self, stream: BufferedIOBase) -> None:
        self._stream = stream
        self._left = _HEAD_BYTES

    def readline(self, most: int) -> bytes:
        line = self._stream.readline(most)
        self._left -= len(line)
        if self._left < 0:
            raise LineTooLong("head")
        return line


class Reply:
    """An answer held back until it is large or finished, then streamed; if `whole`, until finished."""

    def __init__(
        self, handler: Handler, query_id: str, encoding: str | None, blocks: bool, whole: bool
    ) -> None:
        self.format: str | None = None
        self.streaming = False
        self._handler = handler
        self._query_id = query_id
        self._encoding = encoding
        self._blocks = blocks
        self._compress, self._flush = codecs.encoder(encoding)
        self._whole = whole
        self._held = SpooledTemporaryFile(max_size=_MEMORY_BYTES)  # noqa: SIM115  dropped with the reply
        self._tag = uuid4().hex[:16]

    def write(self, data: bytes) -> None:
        data = self._compress(codecs.blocked(data) if self._blocks else data)
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
        text = error.body(version).encode("utf-8", "surrogateescape")
        if self.streaming:
            # The status has gone out: the error goes into the body, framed as ClickHouse frames it, and
            # the last chunk stays away, which every other client takes as a broken answer. It stands outside
            # of compressed blocks, where clients look for it.
            tag = self._tag.encode()
            frame = b"\r\n__exception__\r\n%s\r\n%s%d %s\r\n__exception__\r\n" % (tag, text, len(text), tag)
            self._chunk(self._compress(frame) + self._flush())
            return
        self._encoding = self.format = None
        if self._blocks:
            # Who asks for blocks unpacks whatever comes.
            text = codecs.blocked(text)
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
            "Content-Type": _CONTENT_TYPES.get(self.format or "", "text/plain; charset=UTF-8"),
            "X-ClickHouse-Server-Display-Name": "tidemark",
            "X-ClickHouse-Query-Id": self._query_id,
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
        if self.format:
            headers["X-ClickHouse-Format"] = self.format
        if self._encoding:
            headers["Content-Encoding"] = self._encoding
        self._handler.send_response(status)
        for name, value in headers.items():
            self._handler.send_header(name, value)
        self._handler.end_headers()
