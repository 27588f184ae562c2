"""Keeps records on disk while Kafka is away: append-only segments, replayed oldest first.

One process writes a segment and holds its lock; any process may replay the segments that nobody holds,
so what a finished process left behind is sent by the next one.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from streaming.errors import SpoolFull

_HEAD = struct.Struct(">IIHII")  # crc32 of the rest, total length, topic, key and value lengths
_SUFFIX = ".spool"
# Small enough that a replay holds one in memory, large enough that a long outage makes few files.
_SEGMENT_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Message:
    """One Kafka message: topic, key and value as they would be sent."""

    topic: str
    key: bytes
    value: bytes


def encode(message: Message) -> bytes:
    """One frame: header, topic, key, value."""
    topic = message.topic.encode()
    body = topic + message.key + message.value
    lengths = struct.pack(">IHII", len(body), len(topic), len(message.key), len(message.value))
    return struct.pack(">I", zlib.crc32(lengths + body)) + lengths + body


def decode(data: bytes) -> Iterator[Message]:
    """The whole frames of a segment in order; a torn or damaged tail (the writer was killed) ends it."""
    at = 0
    while at + _HEAD.size <= len(data):
        crc, total, topic_n, key_n, value_n = _HEAD.unpack_from(data, at)
        start, end = at + _HEAD.size, at + _HEAD.size + total
        if end > len(data) or topic_n + key_n + value_n != total:
            return
        if zlib.crc32(data[at + 4 : end]) != crc:
            return
        key_at, value_at = start + topic_n, start + topic_n + key_n
        yield Message(data[start:key_at].decode(), data[key_at:value_at], data[value_at:end])
        at = end


class Segment:
    """A segment that this process holds the lock of, ready to be replayed."""

    def __init__(self, path: Path, handle: BinaryIO) -> None:
        self.path = path
        self._handle = handle

    def messages(self) -> list[Message]:
        """Everything in it, in the order in which it was spooled."""
        return list(decode(self.path.read_bytes()))

    def keep(self, rest: Iterable[Message]) -> None:
        """Replace the content by what is still to be sent; nothing left removes the file."""
        frames = b"".join(encode(message) for message in rest)
        if frames:
            temporary = self.path.with_suffix(".tmp")
            temporary.write_bytes(frames)
            os.replace(temporary, self.path)
        else:
            self.path.unlink(missing_ok=True)
        self._handle.close()


class Spool:
    """The spool folder as one process sees it. Not thread-safe: its producer holds a lock around it."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder = folder
        self._limit = limit_bytes
        self._segment: BinaryIO | None = None
        self._written = 0
        self._others = 0

    def append(self, message: Message) -> None:
        """Keep one message. SpoolFull at the size limit or when the disk takes no more."""
        frame = encode(message)
        try:
            segment = self._writable(len(frame))
            segment.write(frame)
            segment.flush()
        except OSError as error:
            raise SpoolFull(
                f"cannot spool to {self._folder}: {error.strerror}; free the disk or bring Kafka back"
            ) from error
        self._written += len(frame)

    def is_empty(self) -> bool:
        """Whether no segment, of this process or another, is waiting."""
        return next(self._folder.glob(f"*{_SUFFIX}"), None) is None

    def size(self) -> int:
        """Bytes on disk over all processes."""
        return sum(_size(path) for path in self._folder.glob(f"*{_SUFFIX}"))

    def take(self) -> Iterator[Segment]:
        """Segments oldest first, each locked; call `keep` on each. Those of living writers are left out."""
        self.seal()
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            handle = _lock(path)
            if handle is not None:
                yield Segment(path, handle)

    def seal(self) -> None:
        """Close this process's segment, so that it can be replayed, by anyone."""
        if self._segment is not None:
            self._segment.close()
            self._segment = None

    def _writable(self, needed: int) -> BinaryIO:
        if self._segment is not None and self._written + needed > _SEGMENT_BYTES:
            self.seal()
        if self._segment is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._others = self.size()
            self._written = 0
            path = self._folder / f"{time.time_ns():020d}-{os.getpid()}{_SUFFIX}"
            self._segment = path.open("ab")
            fcntl.flock(self._segment, fcntl.LOCK_EX)
        if self._others + self._written + needed > self._limit:
            raise SpoolFull(
                f"the spool {self._folder} is at its limit of {self._limit} bytes while Kafka is away; "
                "bring Kafka back or raise TIDEMARK_SPOOL_LIMIT_BYTES"
            )
        return self._segment


def _lock(path: Path) -> BinaryIO | None:
    try:
        handle = path.open("rb")
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    # Between listing and locking its former holder may have replayed and removed or replaced it.
    if not path.exists() or not os.path.samestat(os.fstat(handle.fileno()), path.stat()):
        handle.close()
        return None
    return handle


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
