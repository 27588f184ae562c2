"""A conversation's earlier turns: what survives compression, and what two processes keep at once."""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.runtime import history
from agents.runtime.door import run_sync
from agents.runtime.errors import PermanentError
from agents.runtime.history import KEPT_DAYS, Turn, Turns, compressed
from agents.runtime.loop import run_stage
from agents.runtime.models import Models
from agents.runtime.run import Run, Session
from agents.runtime.scoring import Score
from agents.runtime.settings import AgentSettings
from agents.runtime.stage import Stage
from agents.runtime.testing import Say, ScriptedModel
from agents.runtime.tokens import estimated
from agents.runtime.work import Work

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def turn(number: int, question: str = "What was revenue?", answer: str = "", **more: Any) -> Turn:
    asked = NOW + timedelta(minutes=number)
    return Turn(run_id=f"r{number}", asked_at=asked, question=question, answer=answer, **more)


WORDS = st.sampled_from(
    [
        "revenue",
        "rose",
        "because",
        "of",
        "the",
        "orders",
        "收入",
        "上升",
        "主要",
        "来自",
        "Levi's",
        "e.g.",
        "(",
        "—",
    ]
)
FIGURES = st.one_of(
    st.integers(-10_000_000, 10_000_000).map(lambda n: f"{n:,}"),
    st.floats(0, 1e6).map(lambda x: f"{x:.2f} %"),
    st.dates().map(str),
    st.sampled_from(["三百二十万", "１２３", "3e-7", "$5", "half"]),
)
NAMES = st.sampled_from(
    [
        "“Calvin Klein”",
        '"Tops & Tees. All of them"',
        "「上衣。裤子」",
        "'Levi's'",
        "《报告》",
        "`net_revenue`",
    ]
)
ENDS = st.sampled_from([". ", "。", "! ", "?\n", "; ", "；", "\n\n", " "])
TEXTS = st.lists(
    st.tuples(st.one_of(WORDS, WORDS, WORDS, FIGURES, NAMES), st.one_of(st.just(" "), ENDS))
).map(lambda parts: "".join(word + end for word, end in parts))
TURNS = st.lists(st.tuples(TEXTS, TEXTS, st.lists(TEXTS.filter(str.strip), max_size=2)), max_size=6).map(
    lambda texts: [turn(n, q, a, decisions=tuple(d)) for n, (q, a, d) in enumerate(texts)]
)


def must_survive(text: str) -> list[str]:
    """Figures and quoted names, by other means than the code's: runs of characters with a digit, and whatever
    the names above are.
    """
    figures = [word for word in re.split(r"[\s。；]+", text) if re.search(r"\d|三百|half", word)]
    names = [
        name
        for name in ("“Calvin Klein”", '"Tops & Tees. All of them"', "「上衣。裤子」", "`net_revenue`")
        if name in text
    ]
    return [word.rstrip(".!?;") for word in figures] + names


@given(TURNS, st.integers(0, 600))
def test_every_figure_name_and_decision_of_a_kept_turn_is_there_and_the_rest_is_listed(
    turns: list[Turn], tokens: int
) -> None:
    history = compressed(turns, tokens)
    assert estimated(history.text) <= tokens
    assert sorted(history.kept + history.dropped) == sorted(turn.run_id for turn in turns)
    for kept in turns:
        if kept.run_id in history.kept:
            for word in must_survive(kept.question) + must_survive(kept.answer):
                assert word in history.text, word
            for decision in kept.decisions:
                assert decision in history.text


@given(TURNS)
def test_with_room_enough_nothing_is_lost(turns: list[Turn]) -> None:
    history = compressed(turns, 1_000_000)
    assert history.dropped == ()
    for kept in turns:
        assert kept.question.strip() in history.text
        assert kept.answer.strip() in history.text


LONG = (
    "It was a good month for the shop in nearly every way that one could think of. "
    "Revenue was 1,204.50 USD. Nobody had expected that, and the reasons are still being looked into by all. "
    "“Jeans” sold best."
)


def test_a_turn_is_shown_in_short_before_another_is_dropped_and_the_newest_in_full() -> None:
    turns = [turn(number, answer=LONG) for number in range(3)]
    room = 4 * estimated(LONG)
    history = compressed(turns, room)
    assert history.kept == ("r0", "r1", "r2")
    lines = [line for line in history.text.splitlines() if line.startswith("Answered")]
    assert lines[0] == (
        "Answered: It was a good month for the shop in nearly every way that one could think of. "
        "Revenue was 1,204.50 USD. … “Jeans” sold best."
    )
    assert lines[2] == f"Answered: {LONG}"
    shorter = compressed(turns, 120)
    assert shorter.dropped
    assert shorter.kept == ("r2",)
    assert "(1 of 3 questions, the other 2 are left out" in shorter.text


def test_what_was_decided_survives_its_turn() -> None:
    old = turn(0, answer=LONG * 10, decisions=("Returns count against the month of the sale.",))
    history = compressed([old, turn(1, answer="2 countries.")], 120)
    assert history.dropped == ("r0",)
    assert "Decided: Returns count against the month of the sale." in history.text
    assert "1,204.50" not in history.text


def test_names_that_the_turn_lists_survive_though_nothing_else_of_their_sentence_would() -> None:
    spoken = turn(0, answer="It was so. Germany led. Others did not.", names=("Germany", "net revenue"))
    text = compressed([spoken] * 1 + [turn(1, answer=LONG * 2)], 260).text
    assert "Germany led." in text
    assert "Spoken of: net revenue" in text


@pytest.mark.parametrize(("room", "shown"), [(0, None), (120, "1,204.50"), (5, None)])
def test_a_stage_is_shown_what_it_gives_room_for_before_its_goal(room: int, shown: str | None) -> None:
    model = ScriptedModel(lambda _: Say("I am done."))
    stage = Stage(
        "chat", "And the month before?", Work(), (), "Answer.", 1.0, 1, lambda _: Score(0.0), history=room
    )
    turns = (turn(0, answer=LONG),)
    models = Models(AgentSettings(model=""), model)
    run_sync(run_stage(stage, Run("tester", Session("talk"), "r1", models, turns=turns)))
    [asked] = model.asked
    texts = [str(message.content) for message in asked.messages]
    assert (texts[0], texts[-1]) == ("Answer.", "And the month before?")
    assert len(texts) == (3 if shown else 2)
    assert shown is None or shown in texts[1]


def test_no_room_and_no_turns_are_nothing() -> None:
    assert compressed([], 1000).text == ""
    assert compressed([turn(0)], 3).dropped == ("r0",)


def test_turns_are_kept_by_session_and_a_run_that_is_taken_up_again_is_one(tmp_path: Path) -> None:
    turns = Turns(tmp_path)
    turns.add("a/b", turn(1))
    turns.add("a/b", turn(0))
    turns.add("other", turn(2))
    turns.add("a/b", turn(1, answer="At last."))
    assert [(kept.run_id, kept.answer) for kept in Turns(tmp_path).of("a/b")] == [
        ("r0", ""),
        ("r1", "At last."),
    ]
    assert turns.of("nobody") == ()


def test_processes_that_add_at_once_lose_nothing(tmp_path: Path) -> None:
    children = []
    for process in range(4):
        if child := os.fork():
            children.append(child)
            continue
        for number in range(25):
            Turns(tmp_path).add("s", turn(process * 100 + number, answer="x" * 9000))
        os._exit(0)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    assert len(Turns(tmp_path).of("s")) == 100


def test_a_conversation_keeps_its_newest_turns_whoever_adds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one process shortens the file, the others lose nothing to it."""
    monkeypatch.setattr(history, "KEPT_TURNS", 10)
    children = []
    for process in range(4):
        if child := os.fork():
            children.append(child)
            continue
        for number in range(30):
            Turns(tmp_path).add("s", turn(number * 4 + process))
        os._exit(0)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    Turns(tmp_path).add("s", turn(1000))
    kept = [one.run_id for one in Turns(tmp_path).of("s")]
    assert (len(kept), kept[-1]) == (10, "r1000")
    assert len((tmp_path / "s.jsonl").read_bytes().splitlines()) <= 21
    assert [path.name for path in tmp_path.iterdir()] == ["s.jsonl"]


def test_listed_figures_survive_and_sql_is_what_goes_first() -> None:
    asked = turn(0, answer=LONG, sql="select 1\n  from t", figures=("China 5.25", "Germany 1,204.50"))
    whole = compressed([asked], 1000).text
    assert "Figures: China 5.25" in whole
    assert "By: select 1 from t" in whole
    short = compressed([asked], estimated(whole) - 5).text
    assert "China 5.25" in short
    assert "select" not in short


def test_a_torn_line_costs_itself_alone_and_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    turns = Turns(tmp_path)
    turns.add("s", turn(0))
    with (tmp_path / "s.jsonl").open("ab") as file:
        file.write(b'{"run_id": "r1", "asked')
    turns.add("s", turn(2, question="\ud83d cut"))
    assert [kept.run_id for kept in turns.of("s")] == ["r0", "r2"]
    assert "line 2 is no turn and is left out" in caplog.text


def test_old_sessions_are_forgotten_and_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    turns = Turns(tmp_path)
    turns.add("old", turn(0))
    old = time.time() - (KEPT_DAYS + 1) * 86_400
    os.utime(tmp_path / "old.jsonl", (old, old))
    turns.add("new", turn(0))
    assert [path.name for path in tmp_path.iterdir()] == ["new.jsonl"]
    (tmp_path / "file").touch()
    with pytest.raises(PermanentError, match="TIDEMARK_STATE_DIR"):
        Turns(tmp_path / "file").add("s", turn(0))
