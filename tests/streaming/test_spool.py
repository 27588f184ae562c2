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
        spool.append([_message(number) for number in range(start, start + 3)])
        spool.release()
    spool = Spool(tmp_path, 10**6)
    first, second = spool.take(), spool.take()
    assert [m.value for s in (first, second) for m in s.read()[0]] == [b"0", b"1", b"2", b"3", b"4", b"5"]
    assert spool.take() is None
    spool.give_back(first, [_message(2)])
    second.release(remove=True)
    assert Spool(tmp_path, 10**6).take() is None, "what is given back stays its owner's"
    left = spool.take()
    assert [m.value for m in left.read()[0]] == [b"2"]
    left.release(remove=True)
    assert list(tmp_path.iterdir()) == []


def test_what_was_put_aside_comes_before_what_is_written_after_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 10**6)
    aside = spool.put_aside([_message(0)])
    spool.append([_message(1)])
    spool.give_back(aside, [_message(0)])
    assert [m.value for s in list(iter(spool.take, None)) for m in s.read()[0]] == [b"0", b"1"]


def test_what_comes_while_older_ones_are_sent_gathers_in_one_segment(tmp_path: Path) -> None:
    """Else a steady stream would go by way of the disk for ever."""
    former, spool = Spool(tmp_path, 10**6), Spool(tmp_path, 10**6)
    former.append([_message(0)])
    former.release()
    spool.append([_message(1)])
    first = spool.take()
    spool.append([_message(2)])
    second = spool.take()
    assert [segment.read()[0] for segment in (first, second)] == [[_message(0)], [_message(1), _message(2)]]
    assert not spool.is_waiting()


def test_a_write_that_the_disk_refuses_harms_nothing_before_or_after_it(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys, pathlib; from streaming.spool import *\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        f"s = Spool(pathlib.Path({str(tmp_path)!r}), 10**6)\n"
        "s.append([Message('t', b'', b'a')])\n"
        "try: s.append([Message('t', b'', b'x' * 2000)])\n"
        "except SpoolFull as full: assert full.kept == 0\n"
        "s.append([Message('t', b'', b'b')])"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    messages, damaged = Spool(tmp_path, 10**6).take().read()
    assert ([m.value for m in messages], damaged) == ([b"a", b"b"], b"")


def test_the_segment_of_a_living_writer_is_left_alone_and_that_of_a_killed_one_is_not(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from streaming.spool import *\n"
        f"s = Spool(pathlib.Path({str(tmp_path)!r}), 10**6); s.append([Message('t', b'', b'x')])\n"
        "print('ready', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        assert Spool(tmp_path, 10**6).take() is None
        writer.kill()
    segment = Spool(tmp_path, 10**6).take()
    assert [m.value for m in segment.read()[0]] == [b"x"]


def test_a_file_that_cannot_be_opened_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "0.spool").mkdir()
    spool = Spool(tmp_path, 10**6)
    assert not spool.is_waiting()
    spool.append([_message(0)])
    assert spool.take().read()[0] == [_message(0)]


def test_the_limit_counts_all_processes_and_names_the_remedy(tmp_path: Path) -> None:
    Spool(tmp_path, 1_000).append([Message("t", b"", b"x" * 900)])
    with pytest.raises(SpoolFull, match="TIDEMARK_SPOOL_LIMIT_BYTES") as full:
        Spool(tmp_path, 1_000).append([Message("t", b"", b"x" * 20), Message("t", b"", b"x" * 200)])
    assert full.value.kept == 1
