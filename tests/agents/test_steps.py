"""What is kept of a run: any value, at any moment, for one question and one process; damage is said."""

from __future__ import annotations

import math
import os
import signal
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import pytest
from langchain_core.tools import InjectedToolArg, tool
from langgraph.checkpoint.sqlite import SqliteSaver

from agents.runtime import run as conversation
from agents.runtime.door import run_sync
from agents.runtime.errors import PermanentError, TransientError
from agents.runtime.events import Event, EventStream
from agents.runtime.loop import run_stage
from agents.runtime.models import Models
from agents.runtime.rules import Move
from agents.runtime.run import Run
from agents.runtime.scoring import Score
from agents.runtime.settings import AgentSettings
from agents.runtime.stage import Outcome, Stage
from agents.runtime.steps import KEPT_DAYS, Steps, file_name, open_steps
from agents.runtime.tools import SHOWN_LIMIT, Registered, Result, ToolContext, ToolRegistry
from agents.runtime.work import ToolCall, Work

NOW = datetime(2026, 11, 21, 16, tzinfo=UTC)


class Values(Result):
    """Values of the kinds that a warehouse returns."""

    day: date
    at: datetime
    price: Decimal
    rate: float
    pair: tuple[str, int]
    rows: tuple[tuple[str | int | float | bool | None, ...], ...]

    def shown(self) -> Any:
        return self.rows


class Found(Work):
    tried: int = 0
    values: Values | None = None

    def reduce(self, call: ToolCall, result: Values) -> Found:
        return self.having(tried=self.tried + 1, values=result)


def stage(size: int = 1, scores: tuple[float, ...] = (0.5, 0.3, 0.4)) -> Stage[Found]:
    """Three tries of falling worth: the first stays the best, and what it found is asked back whole."""

    def move(work: Found) -> Move:
        # The record holds every row, however few of them a language model would be shown.
        assert work.values is None or len(work.values.rows) == size
        return Move("find", (("find", {"rows": size}),))

    return Stage(
        "find", "find", Found(), ("find",), "Find.", 0.9, len(scores),
        lambda work: Score(scores[work.tried - 1]), move,
    )  # fmt: skip


def run(
    kept: Steps | None, given: Stage[Found], sink: Any = None, made: list[int] | None = None
) -> Outcome[Found]:
    """The stage's outcome but for its seconds; `made` hears of each call."""

    @tool
    def find(rows: int, context: Annotated[ToolContext[Found, None], InjectedToolArg]) -> Values:
        """Find."""
        tried = context.work.tried
        if made is not None:
            made.append(tried)
        return Values(
            day=date(2026, 2, 28 - tried),
            at=NOW,
            price=Decimal("0.10000000000000000000000001"),
            rate=math.nan,
            pair=("a", 2**70),
            rows=tuple((f"row {n} “文”", n, n / 7, n % 2 == 0, None) for n in range(rows)),
        )

    asked = Run(
        "tester", conversation.Session("talk"), "r", Models(AgentSettings(model="")),
        registry=ToolRegistry([Registered(find)]),
        stream=EventStream(*filter(None, [sink])),
        checkpoints=kept.checkpoints if kept else None,
    )  # fmt: skip
    outcome = run_sync(run_stage(given, asked))
    return replace(outcome, spent=outcome.spent.model_copy(update={"seconds": 0.0}))


class Stopped(BaseException):
    pass


@pytest.mark.parametrize("kept", [True, False])
def test_any_value_and_the_best_so_far_survive_a_stop_after_any_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    expected = run(None, stage())
    assert (expected.score, expected.iterations, expected.passed) == (0.5, 3, False)
    assert expected.work.tried == 1
    assert expected.work.values
    assert expected.work.values.day == date(2026, 2, 28)
    put, last, steps = SqliteSaver.put, 0, 0

    def stopping(saver: SqliteSaver, *arguments: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps == last and not kept:
            raise Stopped
        done = put(saver, *arguments)
        if steps == last:
            raise Stopped
        return done

    for last in range(1, 100):
        steps, made = 0, []
        monkeypatch.setattr(SqliteSaver, "put", stopping)
        try:
            with open_steps(tmp_path, f"{last}") as steps_kept:
                run(steps_kept, stage(), made=made)
            break
        except Stopped:
            monkeypatch.undo()
        with open_steps(tmp_path, f"{last}") as steps_kept:
            resumed = run(steps_kept, stage(), made=made)
        assert str(resumed) == str(expected)
        without = {"values": {"rate"}}
        assert resumed.work.model_dump(exclude=without) == expected.work.model_dump(exclude=without)
        assert math.isnan(resumed.work.values.rate)
        assert sorted(set(made)) == [0, 1, 2]
        assert len(made) == 3 or not kept
    assert last > 10


def test_a_large_result_is_kept_whole_and_once_a_step(tmp_path: Path) -> None:
    """A model is shown some of it, and told so; the file stays within a few times its size."""
    rows = 20_000
    with open_steps(tmp_path, "large") as kept:
        outcome = run(kept, stage(rows, scores=(0.95,)))
        [newest] = kept.checkpoints.list(None, limit=1)
    messages = newest.checkpoint["channel_values"]["messages"]
    [told] = [message for message in messages if message.type == "tool"]
    assert outcome.work.values
    assert len(outcome.work.values.rows) == rows
    assert len(told.content) < SHOWN_LIMIT + 100
    assert "(cut: these are 24,000 of" in told.content
    size = (tmp_path / "large.sqlite").stat().st_size
    assert size < 4 * len(outcome.work.model_dump_json())


def test_a_run_id_belongs_to_one_question_until_it_is_answered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    later = datetime(2026, 12, 1, tzinfo=UTC)

    def begin(asked: str, now: datetime, ended: str = "") -> tuple[datetime, int]:
        made: list[int] = []
        with open_steps(tmp_path, "r") as kept:
            began = kept.begin(asked, now)
            run(kept, stage(), made=made)
            if ended:
                kept.end(ended)
        return began, len(made)

    assert begin("first", NOW) == (NOW, 3)
    assert begin("first", later) == (NOW, 0), "a run that was stopped counts from its first start"
    assert begin("first", later, "answered") == (NOW, 0)
    assert begin("first", later, "declined") == (NOW, 0), "an answer stays"
    assert begin("first", later) == (later, 3), "a run without an answer starts anew"
    assert not caplog.records
    assert begin("second", NOW) == (NOW, 3), "another question's steps are not its own"
    assert "this run id was used for first" in caplog.text


def test_a_second_process_is_told_to_wait_until_the_first_has_ended_or_died(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    holder = os.fork()
    if not holder:
        with open_steps(tmp_path, "r") as kept:
            kept.begin("asked", NOW)
            os.write(writer, b"!")
            time.sleep(600)
        os._exit(0)
    os.read(reader, 1)
    try:
        with pytest.raises(TransientError, match="Another process is at run r"), open_steps(tmp_path, "r"):
            pytest.fail("two had it")
        with open_steps(tmp_path, "another") as other:
            other.begin("asked", NOW)
    finally:
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)
    with open_steps(tmp_path, "r") as kept:
        assert kept.begin("asked", datetime.now(UTC)) == NOW


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(5000))


def halved(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def overwritten(path: Path) -> None:
    """One page in the middle is something else: what a lost write leaves."""
    whole = bytearray(path.read_bytes())
    whole[3 * 4096 : 4 * 4096] = b"\xff" * 4096
    path.write_bytes(whole)


@pytest.mark.parametrize("damage", [garbage, halved, overwritten])
def test_a_damaged_file_is_kept_aside_and_said_and_the_run_starts_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Any
) -> None:
    made: list[int] = []
    for _ in range(2):
        with open_steps(tmp_path, "r") as kept:
            kept.begin("asked", NOW)
            run(kept, stage(), made=made)
        damage(tmp_path / "r.sqlite")
    assert made == [0, 1, 2] * 2
    assert "is damaged" in caplog.text
    assert (tmp_path / "r.sqlite.damaged").exists()


@pytest.mark.parametrize(
    "change",
    [
        "update checkpoints set checkpoint = x'00'",
        "update checkpoints set checkpoint = substr(checkpoint, 1, length(checkpoint) / 2)",
        "update checkpoints set checkpoint = cast(replace(checkpoint, 'tried', 'tired') as blob)",
        "update checkpoints set type = 'unknown'",
        "update checkpoints set metadata = '{'",
    ],
)
def test_steps_that_cannot_be_read_are_made_again_and_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, change: str
) -> None:
    made: list[int] = []
    with open_steps(tmp_path, "r") as kept:
        expected = run(kept, stage(), made=made)
    with closing(sqlite3.connect(tmp_path / "r.sqlite")) as file:
        file.execute(change)
        file.commit()
    with open_steps(tmp_path, "r") as kept:
        assert str(run(kept, stage(), made=made)) == str(expected)
    assert made == [0, 1, 2] * 2
    assert "cannot be read" in caplog.text


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PermanentError, match="TIDEMARK_STATE_DIR"), open_steps(tmp_path / "file", "r"):
        pytest.fail("it opened")


def test_only_old_sessions_are_pruned_and_not_one_that_is_taken_up_again(tmp_path: Path) -> None:
    with open_steps(tmp_path, "r") as kept:
        kept.begin("asked", NOW)
    old = time.time() - (KEPT_DAYS + 1) * 86_400
    for name in ("old.sqlite", "old.sqlite.damaged", "young.sqlite"):
        (tmp_path / name).touch()
        if "old" in name:
            os.utime(tmp_path / name, (old, old))
    with open_steps(tmp_path, "young"), open_steps(tmp_path, "r"):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"r.sqlite", "young.sqlite"}


def test_a_sink_that_fails_costs_its_event_and_not_the_run(caplog: pytest.LogCaptureFixture) -> None:
    def sink(event: Event) -> None:
        raise OSError("no space for events")

    assert run(None, stage(), sink).score == 0.5
    assert [record.message for record in caplog.records] == [
        "session talk: a sink loses events: OSError('no space for events')"
    ]


@pytest.mark.parametrize(
    "run_id", ["../../etc/passwd", "a/b", "", "x" * 400, "manual__2026-11-21T10:00:00+00:00", "\ud83d"]
)
def test_run_ids_are_safe_file_names(run_id: str) -> None:
    name = file_name(run_id)
    assert "/" not in name
    assert ".." not in name
    assert 0 < len(name) < 200
