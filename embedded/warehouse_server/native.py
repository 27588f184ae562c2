"""The Native format of a protocol revision, out of the engine's Buffers.

chDB writes Native as for a client that names no revision: without block heads, time zones and the mark of
each column's serialization. A client that names one by `client_protocol_version` reads blocks with them. The
bytes of a column are the same, and the format Buffers tells where each column's begin and end.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator, Iterator

from embedded.warehouse_server.errors import WarehouseServerError

# ClickHouse's src/Core/ProtocolDefines.h: what a revision adds to a block, and the first to change strings.
_TIME_ZONES = 54337
_SERIALIZATION_MARKS = 54454
_OUT_OF_ORDER_BUCKETS = 54480
_STRINGS_BY_SIZE = 54492

# Name, type, and five texts on how a table keeps the column.
_DESCRIBED = 7


class Revised:
    """Takes Buffers bytes, gives Native bytes. Raises code 48 for a revision that it cannot write.

    `columns` are the names and types of the result, each pair as Native writes it.
    """

    def __init__(self, columns: list[bytes], revision: int, write: Callable[[bytes], None]) -> None:
        if not _TIME_ZONES <= revision < _STRINGS_BY_SIZE:
            raise WarehouseServerError(
                48,
                f"Native of client_protocol_version {revision} is not supported; ask for one from "
                f"{_TIME_ZONES} to {_STRINGS_BY_SIZE - 1}, or for another format",
            )
        # Fields of a block by number: it holds no overflow, is of no bucket, has none out of order.
        buckets = b"\x03\x00" if revision >= _OUT_OF_ORDER_BUCKETS else b""
        self._info = b"\x01\x00\x02\xff\xff\xff\xff" + buckets + b"\x00"
        mark = b"\x00" if revision >= _SERIALIZATION_MARKS else b""
        self._heads = [column + mark for column in columns]
        self._write = write
        self._empty = True
        self._held = bytearray()
        self._out: list[bytes | bytearray] = []
        self._steps = self._convert()

    def write(self, data: bytes) -> None:
        """Pass on what can be: a block's head when it is complete, of a column's bytes what is there."""
        self._held += data
        next(self._steps)
        if self._out:
            self._write(b"".join(self._out))
            self._out.clear()

    def finish(self) -> None:
        """An empty result still says what its columns are."""
        if self._empty:
            self._write(b"".join([self._info, _varint(len(self._heads)), b"\x00", *self._heads]))

    def _convert(self) -> Iterator[None]:
        """Go on as far as what is held allows, then yield; never ends."""
        while True:
            columns, rows = yield from self._numbers(2)
            if columns != len(self._heads):
                raise WarehouseServerError(1002, f"The result has {columns} columns, not {len(self._heads)}")
            self._empty = False
            self._out += [self._info, _varint(columns), _varint(rows)]
            for head in self._heads:
                (length,) = yield from self._numbers(1)
                self._out.append(head)
                while length:
                    while not self._held:
                        yield
                    piece = self._held[:length]
                    del self._held[:length]
                    self._out.append(piece)
                    length -= len(piece)

    def _numbers(self, count: int) -> Generator[None, None, tuple[int, ...]]:
        while len(self._held) < 8 * count:
            yield
        numbers = struct.unpack_from(f"<{count}Q", self._held)
        del self._held[: 8 * count]
        return numbers


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def columns_of(described: bytes) -> list[bytes]:
    """The name and type of each row that DESCRIBE gives in RowBinary, as that and Native write them."""
    columns, at = [], 0
    while at < len(described):
        start = at
        for field in range(_DESCRIBED):
            length = shift = 0
            while True:
                byte = described[at]
                at += 1
                length |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
            at += length
            if field == 1:
                columns.append(described[start:at])
    return columns
