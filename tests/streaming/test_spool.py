"""What was spooled comes back whole and in order, whatever happened to its writer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.errors import SpoolFull
from streaming.spool import Message, Spool, decode, encode

messages = st.builds(Message, st.text(max_size=20), st.binary(max_size=20), st.binary(max_size=200))


@given(st.lists(messages))
def test_frames_round_trip(sent: list[Message]) -> None:
    assert list(decode(b"".join(map(encode, sent)))) == sent


@given(st.lists(messages, min_size=1), st.data())
def test_a_torn_tail_loses_only_the_torn_frame(sent: list[Message], data: st.DataObject) -> None:
    last = encode(sent[-1])
    cut = data.draw(st.integers(0, len(last) - 1))
    assert list(decode(b"".join(map(encode, sent[:-1])) + last[:cut])) == sent[:-1]


@given(st.lists(messages, min_size=1), st.data())
def test_a_flipped_byte_never_gives_a_message_that_was_not_sent(
    sent: list[Message], data: st.DataObject
) -> None:
    frames = bytearray(b"".join(map(encode, sent)))
    at = data.draw(st.integers(0, len(frames) - 1))
    frames[at] ^= data.draw(st.integers(1, 255))
    assert all(message in sent for message in decode(bytes(frames)))


def _message(number: int) -> Message:
    return Message("t", b"k", str(number).encode())


def test_segments_come_back_oldest_first_and_what_is_kept_stays(tmp_path: Path) -> None:
    for start in (0, 3):
        spool = Spool(tmp_path, 10**6)
        for number in range(start, start + 3):
            spool.append(_message(number))
        spool.seal()
    segments = list(Spool(tmp_path, 10**6).take())
    assert [m.value for s in segments for m in s.messages()] == [b"0", b"1", b"2", b"3", b"4", b"5"]
    segments[0].keep([_message(2)])
    segments[1].keep([])
    (left,) = Spool(tmp_path, 10**6).take()
    assert [m.value for m in left.messages()] == [b"2"]


def test_the_segment_of_a_living_writer_is_left_alone_and_that_of_a_killed_one_is_not(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from streaming.spool import *\n"
        f"s = Spool(pathlib.Path({str(tmp_path)!r}), 10**6); s.append(Message('t', b'', b'x'))\n"
        "print('ready', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        assert list(Spool(tmp_path, 10**6).take()) == []
        writer.kill()
    (segment,) = Spool(tmp_path, 10**6).take()
    assert [m.value for m in segment.messages()] == [b"x"]


def test_the_limit_counts_all_processes_and_names_the_remedy(tmp_path: Path) -> None:
    first = Spool(tmp_path, 1_000)
    first.append(Message("t", b"", b"x" * 900))
    first.seal()
    with pytest.raises(SpoolFull, match="TIDEMARK_SPOOL_LIMIT_BYTES"):
        Spool(tmp_path, 1_000).append(Message("t", b"", b"x" * 200))
