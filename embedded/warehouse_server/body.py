"""A request's body: how it is framed, decoded, and cut into the parts of a form, all within bounds."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from io import BufferedIOBase

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from embedded.warehouse_server.codecs import decoded, unblocked
from embedded.warehouse_server.errors import WarehouseServerError

_CHUNK = 1 << 20
# A form is held in memory whole; rows by the million belong into a body of their own.
_FORM_BYTES = 64 << 20
_FORM_PARTS = 1000
_TRAILERS = 100
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,16})[ \t]*(?:;.*)?\r?\n", re.DOTALL)


class Body:
    """A request's body, read once, in pieces. Raises codes 33, 36 and 48 for how it is framed.

    Once the request is understood: `blocks` says that it is in ClickHouse's compressed blocks, and `most`
    how many bytes it may have when decoded.
    """

    def __init__(self, stream: BufferedIOBase, headers: Message) -> None:
        self.blocks = False
        self.most: int | None = None
        self._encoding = headers.get("Content-Encoding", "identity").lower()
        self._content_type = headers.get("Content-Type", "")
        self._ended = False
        self._broken = False
        framing, lengths = headers.get("Transfer-Encoding"), headers.get_all("Content-Length", [])
        if framing is not None and framing.strip().lower() != "chunked":
            raise WarehouseServerError(48, f"Transfer-Encoding '{framing}' is not supported; use chunked")
        if len(lengths) > 1 or (framing and lengths):
            raise WarehouseServerError(36, "The request says twice how long its body is")
        length = lengths[0].strip() if lengths else "0"
        if not re.fullmatch(r"[0-9]{1,18}", length):
            raise WarehouseServerError(36, f"Content-Length is not a number: '{length}'")
        self._raw = self._read(_chunked(stream) if framing else _sized(stream, int(length)))

    def __iter__(self) -> Iterator[bytes]:
        """The decoded pieces. Raises code 33 when the body ends too early, 165 when it is too large."""
        pieces = self._raw
        if self._encoding not in ("", "identity"):
            pieces = decoded(pieces, self._encoding)
        if self.blocks:
            pieces = unblocked(pieces, self.most)
        return pieces if self.most is None else _at_most(self.most, pieces)

    def form(self) -> Form | None:
        """The fields and files of a multipart body; None for any other body. Raises codes 36 and 165."""
        if not self._content_type.startswith("multipart/form-data"):
            return None
        return Form.parse(self._content_type, _at_most(_FORM_BYTES, iter(self)))

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
    def parse(cls, content_type: str, pieces: Iterable[bytes]) -> Form:
        """Raises code 36 for what is no whole form; what `pieces` raises passes through."""
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        if not 1 <= len(boundary) <= 70:
            raise WarehouseServerError(36, "The form's boundary is not 1 to 70 characters long")
        parts = _Parts()
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": parts.begin,
                "on_header_field": parts.header_name,
                "on_header_value": parts.header_value,
                "on_header_end": parts.header_end,
                "on_part_data": parts.data,
                "on_part_end": parts.end,
                "on_end": parts.finish,
            },
        )
        try:
            for piece in pieces:
                parser.write(piece)
        except MultipartParseError as error:
            raise WarehouseServerError(36, f"The form cannot be read: {error}") from error
        if not parts.finished:
            raise WarehouseServerError(36, "The form ends before its last boundary")
        return cls(parts.fields, parts.files)


class _Parts:
    """The parts of a form as its parser comes upon them."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        self.finished = False
        self._begun = 0
        self._name, self._value, self._disposition = bytearray(), bytearray(), b""
        self._content = bytearray()

    def begin(self) -> None:
        self._begun += 1
        if self._begun > _FORM_PARTS:
            raise WarehouseServerError(36, f"The form has more than {_FORM_PARTS} parts")
        self._disposition = b""
        self._content = bytearray()

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._name, self._value = bytearray(), bytearray()

    def data(self, data: bytes, start: int, end: int) -> None:
        self._content += data[start:end]

    def end(self) -> None:
        options = parse_options_header(self._disposition)[1]
        name = options.get(b"name", b"").decode("utf-8", "surrogateescape")
        if b"filename" in options:
            self.files[name] = bytes(self._content)
        else:
            self.fields[name] = self._content.decode("utf-8", "surrogateescape")

    def finish(self) -> None:
        self.finished = True


def _at_most(most: int, pieces: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > most:
            raise WarehouseServerError(165, f"The body is larger than {most >> 20} MiB")
        yield piece


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
        size = _CHUNK_SIZE.fullmatch(stream.readline(1024))
        if size is None:
            raise truncated
        if not int(size[1], 16):
            break
        yield from _sized(stream, int(size[1], 16))
        if stream.readline(3) not in (b"\r\n", b"\n"):
            raise truncated
    for _ in range(_TRAILERS):
        if not stream.readline(65536).strip():
            return
    raise WarehouseServerError(36, f"The chunked body has more than {_TRAILERS} trailers")
