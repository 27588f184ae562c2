"""A request's body: how it is framed, decoded, and cut into the parts of a form, all within bounds."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from io import BufferedIOBase

from embedded.warehouse_server.codecs import decoded, unblocked
from embedded.warehouse_server.errors import WarehouseServerError

_CHUNK = 1 << 20
# A form is held in memory whole; rows by the million belong into a body of their own.
_FORM_BYTES = 64 << 20
_FORM_PARTS = 1000
_PART_HEAD_BYTES = 8 << 10
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
        return Form.parse(self._content_type, b"".join(_at_most(_FORM_BYTES, iter(self))))

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
        boundary = _header_parameter(content_type, "boundary").encode("utf-8", "surrogateescape")
        if not 1 <= len(boundary) <= 70:
            raise WarehouseServerError(36, "The form's boundary is not 1 to 70 characters long")
        fields: dict[str, str] = {}
        files: dict[str, bytes] = {}
        parts = (b"\r\n" + body).split(b"\r\n--" + boundary, _FORM_PARTS + 2)[1:-1]
        if len(parts) > _FORM_PARTS:
            raise WarehouseServerError(36, f"The form has more than {_FORM_PARTS} parts")
        for part in parts:
            head, _, content = part.partition(b"\r\n\r\n")
            if len(head) > _PART_HEAD_BYTES:
                raise WarehouseServerError(
                    36, f"A part of the form has a head of over {_PART_HEAD_BYTES} bytes"
                )
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
