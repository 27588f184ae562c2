"""Compression both ways: HTTP's encodings, and ClickHouse's own blocks (`compress=1`, `decompress=1`)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import lz4.block
import lz4.frame
from backports import zstd
from clickhouse_cityhash.cityhash import CityHash128

from embedded.warehouse_server.errors import WarehouseServerError

# What one step of decompression may give, and what one block of a result holds.
_PIECE_BYTES = 1 << 20
# Rows of a table rarely shrink to a hundredth; what unpacks to more is made to fill the machine.
_FREE_BYTES, _MOST_RATIO = 256 << 20, 500
# A driver sends a batch as one block; it is in memory whole, packed and unpacked.
_BLOCK_BYTES = 256 << 20
_BLOCK_HEAD = struct.Struct("<BII")
_CHECKSUM = struct.Struct("<QQ")
_NONE, _LZ4, _ZSTD = 0x02, 0x82, 0x90

Compress = Callable[[bytes], bytes]
Flush = Callable[[], bytes]


def decoded(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Undo a Content-Encoding, in small pieces. Raises codes 33 and 117, and 48 for an unknown encoding."""
    decoder = _decoder(encoding)
    taken = given = 0
    try:
        for piece in pieces:
            taken += len(piece)
            while piece or not decoder.needs_input:
                if decoder.eof:
                    decoder = _decoder(encoding)
                out = decoder.decompress(piece, _PIECE_BYTES)
                given += len(out)
                _watch_ratio(given, taken)
                if out:
                    yield out
                piece = (decoder.unused_data or b"") if decoder.eof else b""
                if decoder.eof and not piece:
                    break
    except (zlib.error, RuntimeError, zstd.ZstdError, EOFError) as error:
        raise WarehouseServerError(117, f"Cannot decompress the {encoding} body: {error}") from None
    if not decoder.eof:
        raise WarehouseServerError(33, f"Cannot read all data: the {encoding} body ended too early")


def _watch_ratio(given: int, taken: int) -> None:
    if given > _FREE_BYTES and given > taken * _MOST_RATIO:
        raise WarehouseServerError(
            117,
            f"The body unpacks to more than {_MOST_RATIO} times its size; send it with less compression, or "
            f"in parts that unpack to less than {_FREE_BYTES >> 20} MiB",
        )


class _Inflater:
    """zlib with the face that the other decoders have."""

    def __init__(self, wbits: int) -> None:
        self._stream = zlib.decompressobj(wbits)
        self._full = False

    def decompress(self, data: bytes, most: int) -> bytes:
        out = self._stream.decompress(self._stream.unconsumed_tail + data, most)
        self._full = len(out) == most
        return out

    @property
    def needs_input(self) -> bool:
        return not self._stream.eof and not self._full and not self._stream.unconsumed_tail

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data


def _decoder(encoding: str) -> Any:
    if encoding == "gzip":
        return _Inflater(31)
    if encoding == "deflate":
        return _Inflater(15)
    if encoding == "zstd":
        return zstd.ZstdDecompressor()
    if encoding == "lz4":
        return lz4.frame.LZ4FrameDecompressor()
    raise WarehouseServerError(48, f"Unknown Content-Encoding '{encoding}'; use gzip, deflate, zstd or lz4")


def unblocked(pieces: Iterator[bytes], most: int | None) -> Iterator[bytes]:
    """The contents of ClickHouse's compressed blocks. Raises codes 33, 40, 117, 165 and 432.

    A block is the CityHash128 (of version 1.0.2) of the rest, the method, the sizes of the block without
    its checksum and of its content, and the packed content.
    """
    limit = min(most or _BLOCK_BYTES, _BLOCK_BYTES)
    held = bytearray()
    needed = _CHECKSUM.size + _BLOCK_HEAD.size
    taken = given = 0
    for piece in pieces:
        held += piece
        taken += len(piece)
        while len(held) >= needed:
            method, packed, size = _BLOCK_HEAD.unpack_from(held, _CHECKSUM.size)
            if max(packed, size) > limit:
                raise WarehouseServerError(165, f"A compressed block is larger than {limit >> 20} MiB")
            needed = _CHECKSUM.size + max(packed, _BLOCK_HEAD.size)
            if len(held) < needed:
                break
            block = bytes(held[_CHECKSUM.size : needed])
            if held[: _CHECKSUM.size] != _checksum(block):
                raise WarehouseServerError(40, "Checksum doesn't match: a compressed block is corrupted")
            del held[:needed]
            given += size
            _watch_ratio(given, taken)
            needed = _CHECKSUM.size + _BLOCK_HEAD.size
            yield _unpacked(method, block[_BLOCK_HEAD.size :], size)
    if held:
        raise WarehouseServerError(33, "Cannot read all data: a compressed block ended too early")


def _unpacked(method: int, packed: bytes, size: int) -> bytes:
    try:
        if method == _LZ4:
            content = lz4.block.decompress(packed, uncompressed_size=size)
        elif method == _ZSTD:
            content = zstd.ZstdDecompressor().decompress(packed, size)
        elif method == _NONE:
            content = packed
        else:
            raise WarehouseServerError(
                432, f"Unknown method 0x{method:02x} of a compressed block; use lz4, zstd or none"
            )
    except (lz4.block.LZ4BlockError, zstd.ZstdError) as error:
        raise WarehouseServerError(117, f"Cannot decompress a block: {error}") from None
    if len(content) != size:
        raise WarehouseServerError(117, f"A block of {size} bytes unpacks to {len(content)}")
    return content


def _checksum(block: bytes) -> bytes:
    value = CityHash128(block)
    return _CHECKSUM.pack(value >> 64, value & 0xFFFFFFFFFFFFFFFF)


def blocked(data: bytes) -> bytes:
    """Data as ClickHouse's compressed blocks."""
    blocks = []
    for start in range(0, len(data), _PIECE_BYTES):
        content = data[start : start + _PIECE_BYTES]
        packed = lz4.block.compress(content, store_size=False)
        block = _BLOCK_HEAD.pack(_LZ4, _BLOCK_HEAD.size + len(packed), len(content)) + packed
        blocks += [_checksum(block), block]
    return b"".join(blocks)


def choose(accepted: str) -> str | None:
    """The cheapest encoding of those the client takes."""
    names = {item.split(";")[0].strip().lower() for item in accepted.split(",")}
    return next((name for name in ("lz4", "zstd", "gzip", "deflate") if name in names), None)


def encoder(encoding: str | None) -> tuple[Compress, Flush]:
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
