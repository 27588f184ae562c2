"""The wire: a request's parts, its body, and the codecs both directions may use."""

from __future__ import annotations

import base64
import binascii
import re
import time
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from io import BufferedIOBase
from typing import Any
from urllib.parse import parse_qsl

import lz4.frame
from backports import zstd

from embedded.warehouse_server.errors import WarehouseServerError

_CHUNK = 1 << 20
# Parameters that belong to the protocol; every other one is a setting.
_RESERVED = {
    "query", "database", "default_format", "session_id", "session_timeout", "session_check", "close_session",
    "query_id", "user", "password", "quota_key", "role", "stacktrace", "buffer_size", "wait_end_of_query",
    "compress", "decompress", "client_protocol_version",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """What one HTTP request asks for; the body is read apart."""

    user: str
    password: str
    query: bytes
    database: str
    query_id: str
    default_format: str
    session_id: str
    session_timeout: float
    session_check: bool
    close_session: bool
    settings: dict[str, str]
    accept_encoding: str | None
    wait_end_of_query: bool


def parse(query_string: str, headers: Message, fields: Mapping[str, str] | None = None) -> Request:
    """Read the URL's parameters, the headers and a form's fields. Raises codes 516, 374, 48."""
    params = dict(parse_qsl(query_string, keep_blank_values=True, encoding="utf-8", errors="surrogateescape"))
    params.update(fields or {})
    user, password = _credentials(params, headers)
    if params.get("decompress") == "1" or params.get("compress") == "1":
        raise WarehouseServerError(
            48, "The native compression of compress=1 is not supported; use HTTP's encodings"
        )
    try:
        timeout = float(params.get("session_timeout", "60"))
    except ValueError:
        raise WarehouseServerError(374, f"Invalid session timeout: '{params['session_timeout']}'") from None
    if not 0 <= timeout <= 3600:
        raise WarehouseServerError(374, f"Session timeout {timeout:g} is not between 0 and 3600 seconds")
    # Both go into places that are not theirs alone: a statement's end, a header.
    default_format = params.get("default_format") or headers.get("X-ClickHouse-Format") or "TabSeparated"
    if not re.fullmatch(r"\w+", default_format, re.ASCII):
        raise WarehouseServerError(73, f"Unknown format '{default_format}'")
    query_id = params.get("query_id") or headers.get("X-ClickHouse-Query-Id") or str(uuid.uuid4())
    if not re.fullmatch(r"[\x20-\x7e]+", query_id):
        raise WarehouseServerError(36, "A query_id is printable ASCII")
    settings = {name: value for name, value in params.items() if name not in _RESERVED and name}
    compressed = settings.get("enable_http_compression") == "1"
    return Request(
        user=user,
        password=password,
        query=params.get("query", "").encode("utf-8", "surrogateescape"),
        database=params.get("database", "") or str(headers.get("X-ClickHouse-Database", "")),
        query_id=query_id,
        default_format=default_format,
        session_id=params.get("session_id", ""),
        session_timeout=timeout,
        session_check=params.get("session_check") == "1",
        close_session=params.get("close_session") == "1",
        settings=settings,
        accept_encoding=_choose(headers.get("Accept-Encoding", "")) if compressed else None,
        wait_end_of_query=params.get("wait_end_of_query") == "1",
    )


def _credentials(params: dict[str, str], headers: Message) -> tuple[str, str]:
    if "X-ClickHouse-User" in headers or "X-ClickHouse-Key" in headers:
        return headers.get("X-ClickHouse-User", "default"), headers.get("X-ClickHouse-Key", "")
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, password = base64.b64decode(token, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise WarehouseServerError(
                516, "The Authorization header is not valid Basic authentication"
            ) from None
        return name, password
    if scheme:
        raise WarehouseServerError(516, f"Authentication scheme {scheme!r} is not supported; use Basic")
    return params.get("user", "default"), params.get("password", "")


class Body:
    """A request's body, read once, in pieces."""

    def __init__(self, stream: BufferedIOBase, headers: Message) -> None:
        self._encoding = headers.get("Content-Encoding", "identity").lower()
        self._content_type = headers.get("Content-Type", "")
        self._ended = False
        self._broken = False
        chunked = headers.get("Transfer-Encoding", "").lower() == "chunked"
        length = headers.get("Content-Length", "0")
        if not chunked and not length.isdecimal():
            raise WarehouseServerError(36, f"Content-Length is not a number: '{length}'")
        self._raw = self._read(_chunked(stream) if chunked else _sized(stream, int(length)))

    def __iter__(self) -> Iterator[bytes]:
        """The decoded pieces. Raises code 33 when the body ends before it should."""
        return self._raw if self._encoding in ("", "identity") else _decoded(self._raw, self._encoding)

    def form(self) -> Form | None:
        """The fields and files of a multipart body; None for any other body."""
        if not self._content_type.startswith("multipart/form-data"):
            return None
        return Form.parse(self._content_type, b"".join(self))

    def discard(self, seconds: float) -> bool:
        """Read what the client still sends, so that it can read the answer; whether the end was reached."""
        deadline = time.monotonic() + seconds
        try:
            for _ in self._raw:
                if time.monotonic() > deadline:
                    return False
        except (WarehouseServerError, OSError, ValueError):
            return False
        return self._ended and not self._broken

    def _read(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        try:
            yield from pieces
        except BaseException:
            self._broken = True
            raise
        self._ended = True


@dataclass(frozen=True, slots=True)
class Form:
    """A multipart body: text fields, which act as URL parameters do, and files, which become tables."""

    fields: dict[str, str]
    files: dict[str, bytes]

    @classmethod
    def parse(cls, content_type: str, body: bytes) -> Form:
        boundary = _header_parameter(content_type, "boundary")
        fields: dict[str, str] = {}
        files: dict[str, bytes] = {}
        for part in (b"\r\n" + body).split(b"\r\n--" + boundary.encode())[1:-1]:
            head, _, content = part.partition(b"\r\n\r\n")
            disposition = (
                Parser().parsestr(head.decode("utf-8", "replace").strip()).get("Content-Disposition", "")
            )
            name = _header_parameter(disposition, "name")
            if "filename" in disposition:
                files[name] = content
            else:
                fields[name] = content.decode("utf-8", "surrogateescape")
        return cls(fields, files)


def _header_parameter(value: str, name: str) -> str:
    message = Message()
    message["Content-Disposition"] = value
    return str(message.get_param(name, "", header="Content-Disposition"))


def _sized(stream: BufferedIOBase, length: int) -> Iterator[bytes]:
    while length:
        piece = stream.read(min(length, _CHUNK))
        if not piece:
            raise WarehouseServerError(33, f"Cannot read all data: the body ended {length} bytes too early")
        length -= len(piece)
        yield piece


def _chunked(stream: BufferedIOBase) -> Iterator[bytes]:
    truncated = WarehouseServerError(33, "Cannot read all data: the chunked body ended too early")
    while True:
        line = stream.readline(1024)
        try:
            size = int(line.split(b";")[0], 16)
        except ValueError:
            raise truncated from None
        if not size:
            while stream.readline(65536).strip():
                pass
            return
        yield from _sized(stream, size)
        if stream.readline(3) not in (b"\r\n", b"\n"):
            raise truncated


def _decoded(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = _decoder(encoding)
    try:
        for piece in pieces:
            while piece:
                yield decoder.decompress(piece)
                piece = getattr(decoder, "unused_data", b"") if decoder.eof else b""
                if decoder.eof and piece:
                    decoder = _decoder(encoding)
    except (zlib.error, RuntimeError, zstd.ZstdError, EOFError) as error:
        raise WarehouseServerError(117, f"Cannot decompress the {encoding} body: {error}") from None
    if not decoder.eof:
        raise WarehouseServerError(33, f"Cannot read all data: the {encoding} body ended too early")


def _decoder(encoding: str) -> Any:
    if encoding == "gzip":
        return zlib.decompressobj(wbits=31)
    if encoding == "deflate":
        return zlib.decompressobj()
    if encoding == "zstd":
        return zstd.ZstdDecompressor()
    if encoding == "lz4":
        return lz4.frame.LZ4FrameDecompressor()
    raise WarehouseServerError(48, f"Unknown Content-Encoding '{encoding}'; use gzip, deflate, zstd or lz4")


def _choose(accepted: str) -> str | None:
    """The cheapest codec of those the client takes."""
    names = {item.split(";")[0].strip().lower() for item in accepted.split(",")}
    return next((name for name in ("lz4", "zstd", "gzip", "deflate") if name in names), None)


def encoder(encoding: str | None) -> tuple[Callable[[bytes], bytes], Callable[[], bytes]]:
    """(compress, flush) of an encoding; the identity for None."""
    if encoding is None:
        return (lambda data: data), (lambda: b"")
    if encoding == "lz4":
        frame = lz4.frame.LZ4FrameCompressor()
        head = [frame.begin()]
        return (lambda data: (head.pop() if head else b"") + frame.compress(data)), (
            lambda: (head.pop() if head else b"") + frame.flush()
        )
    if encoding == "zstd":
        stream = zstd.ZstdCompressor(level=1)
        return stream.compress, stream.flush
    deflater = zlib.compressobj(1, wbits=31 if encoding == "gzip" else 15)
    return deflater.compress, deflater.flush
