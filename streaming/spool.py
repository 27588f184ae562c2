"""Keeps records on disk while Kafka is away: append-only segments, sent oldest first.

A process holds a lock on each of its segments as long as it lives; what it leaves behind, any other process
may take over. Writes go to the system at once and survive the process, not a power cut, exactly like
records in Kafka itself, which acknowledges before its disk has them.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from streaming.errors import SpoolFull

_HEAD = struct.Struct(">IIHII")  # crc32 of the rest, total length, topic, key and value lengths
_SUFFIX = ".spool"
# Small, so that what has been sent frees its room soon and little is sent twice after a kill.
_SEGMENT_BYTES = 4 * 2**20


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
    """A file of the spool that this process holds the lock of."""

    def __init__(self, path: Path, handle: IO[bytes]) -> None:
        self.path = path
        self._handle = handle

    def read(self) -> tuple[list[Message], bytes]:
        """Its messages in order, and the bytes after the last whole one (none, or of a damaged file)."""
        data = self.path.read_bytes()
        messages = list(decode(data))
        whole = sum(_HEAD.size + len(m.topic.encode()) + len(m.key) + len(m.value) for m in messages)
        return messages, data[whole:]

    def write(self, frames: bytes) -> None:
        """Append whole frames, or nothing. Raises OSError."""
        before = self.size()
        try:
            view = memoryview(frames)
            while view:
                view = view[self._handle.write(view) :]
        except OSError:
            os.ftruncate(self._handle.fileno(), before)
            raise

    def size(self) -> int:
        """Bytes in it."""
        return os.fstat(self._handle.fileno()).st_size

    def release(self, *, remove: bool = False) -> None:
        """Give up the lock; what is not removed may be taken over by anybody."""
        if remove:
            self.path.unlink(missing_ok=True)
        self._handle.close()


class Spool:
    """The spool folder as one process sees it. Not thread-safe: one thread delivers."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder = folder
        self._limit = limit_bytes
        # A clock that is set back must not put what is newer before what is older.
        self._name = f"{time.time_ns():020d}-{os.getpid()}"
        self._made = 0
        self._own: dict[Path, Segment] = {}
        self._last: Segment | None = None

    def append(self, messages: Sequence[Message], *, over_limit: bool = False) -> None:
        """Keep messages behind all others. SpoolFull says how many were kept before it was full."""
        room = self._limit - self.size()
        frames: list[bytes] = []
        for message in messages:
            frame = encode(message)
            room -= len(frame)
            if room < 0 and not over_limit:
                break
            frames.append(frame)
        try:
            if frames:
                self._last = self._last or self._create()
                self._last.write(b"".join(frames))
                if self._last.size() >= _SEGMENT_BYTES:
                    self._last = None
        except OSError as error:
            raise self._unwritable(error) from error
        if len(frames) < len(messages):
            raise SpoolFull(
                f"the spool {self._folder} is at its limit of {self._limit} bytes while Kafka is away; "
                "bring Kafka back or raise TIDEMARK_SPOOL_LIMIT_BYTES",
                len(frames),
            )

    def put_aside(self, messages: Sequence[Message]) -> Segment:
        """A segment of its own with these messages, taken by the caller. SpoolFull: none is kept."""
        frames = b"".join(map(encode, messages))
        if self.size() + len(frames) > self._limit:
            raise SpoolFull(f"the spool {self._folder} is at its limit of {self._limit} bytes", 0)
        try:
            segment = self._create()
            try:
                segment.write(frames)
            except OSError:
                self._own.pop(segment.path).release(remove=True)
                raise
        except OSError as error:
            raise self._unwritable(error) from error
        return self._own.pop(segment.path)

    def give_back(self, segment: Segment, rest: Sequence[Message]) -> None:
        """Put a taken segment's rest in its place; if that cannot be written, the segment stays whole."""
        temporary = segment.path.with_suffix(".tmp")
        try:
            smaller = _made(temporary)
            try:
                smaller.write(b"".join(map(encode, rest)))
                os.replace(temporary, segment.path)
            except OSError:
                smaller.release(remove=True)
                raise
        except OSError:
            self._own[segment.path] = segment
            return
        segment.release()
        smaller.path = segment.path
        self._own[segment.path] = smaller

    def take(self) -> Segment | None:
        """The oldest segment that no other process holds, none when nothing waits; release it when sent."""
        for path in self._files():
            segment = self._own.pop(path, None) or _lock(path)
            if segment is not None:
                if segment is self._last:
                    self._last = None
                return segment
        return None

    def is_waiting(self) -> bool:
        """Whether there is a segment to take."""
        for path in self._files():
            if path in self._own:
                return True
            segment = _lock(path)
            if segment is not None:
                segment.release()
                return True
        return False

    def size(self) -> int:
        """Bytes on disk over all processes."""
        return sum(_size(path) for path in self._files())

    def release(self) -> None:
        """Leave what is here to whoever comes next."""
        while self._own:
            self._own.popitem()[1].release()
        self._last = None

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{_SUFFIX}"))

    def _create(self) -> Segment:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._made += 1
        segment = _made(self._folder / f"{self._name}-{self._made:08d}{_SUFFIX}")
        self._own[segment.path] = segment
        return segment

    def _unwritable(self, error: OSError) -> SpoolFull:
        return SpoolFull(
            f"cannot spool to {self._folder}: {error.strerror}; free the disk or bring Kafka back", 0
        )


def _made(path: Path) -> Segment:
    # Appending: after a cut the next frame comes where the file now ends.
    handle = path.open("ab", buffering=0)
    fcntl.flock(handle, fcntl.LOCK_EX)
    handle.truncate(0)
    return Segment(path, handle)


def _lock(path: Path) -> Segment | None:
    try:
        handle = path.open("rb")
    except OSError:  # sent meanwhile, or not this user's
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Between listing and locking its former holder may have sent and removed or replaced it.
        if os.path.samestat(os.fstat(handle.fileno()), path.stat()):
            return Segment(path, handle)
    except OSError:
        pass
    handle.close()
    return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
