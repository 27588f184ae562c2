"""The analyst over a warehouse in memory: what the engine says decides, and no server is needed to say it."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from agents.analyst import Analyst
from agents.analyst.answer import Answer
from agents.analyst.intent import Period
from agents.runtime.budget import Budget
from agents.runtime.history import Turns
from agents.runtime.settings import AgentSettings
from agents.runtime.testing import Say, ScriptedModel
from warehouse import Catalogue, TransientError
from warehouse.errors import LimitExceededError, OverloadedError
from warehouse.semantic import SemanticLayer
from warehouse.testing import Answer as Scripted
from warehouse.testing import FakeWarehouse

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
MONTHS = [
    {"metric_time__month": date(2026, 1, 1), "revenue": 1250.5},
    {"metric_time__month": date(2026, 2, 1), "revenue": 990.25},
]
DAYS = [{"first": date(2026, 1, 1), "last": date(2026, 2, 28), "days": 59, "groups": 59}]


def ask(
    semantic: SemanticLayer,
    dbt_target: Path,
    state: Path,
    answers: dict[str, Scripted],
    budget: Budget | None = None,
    question: str = "revenue by month",
    model: ScriptedModel | None = None,
    **more: Any,
) -> tuple[Answer, FakeWarehouse]:
    warehouse = FakeWarehouse(answers={"repeated_times": [], "_days": DAYS} | answers)
    catalogue = Catalogue.load(dbt_target / "manifest.json")
    analyst = Analyst(warehouse, semantic, catalogue, AgentSettings(state_dir=state, model=""), model)
    return analyst.ask(question, now=NOW, budget=budget, **more), warehouse


def test_the_rows_that_come_back_are_the_answer(
    semantic: SemanticLayer, dbt_target: Path, tmp_path: Path
) -> None:
    answer, warehouse = ask(semantic, dbt_target, tmp_path, {"revenue": MONTHS})
    assert answer.status == "answered", answer.text
    assert answer.rows == [["2026-01-01", 1250.5], ["2026-02-01", 990.25]]
    assert "1,250.5" in answer.text
    # Judged, then run: word for word what the answer says that it was.
    assert warehouse.asked.count(answer.sql) == 2


def test_a_cap_is_told_and_a_server_that_is_away_is_for_later(
    semantic: SemanticLayer, dbt_target: Path, tmp_path: Path
) -> None:
    answer, _ = ask(semantic, dbt_target, tmp_path, {"revenue": LimitExceededError("It would read 9 TiB.")})
    assert (answer.status, answer.rows) == ("failed", [])
    assert "9 TiB" in answer.text
    with pytest.raises(TransientError, match="Too many queries"):
        ask(semantic, dbt_target, tmp_path, {"revenue": OverloadedError("Too many queries.")})


def test_a_warehouse_that_hangs_holds_the_run_no_longer_than_its_budget(
    semantic: SemanticLayer, dbt_target: Path, tmp_path: Path
) -> None:
    ends = threading.Event()
    hangs: dict[str, Scripted] = {"revenue": lambda sql: [{"ended": ends.wait()}]}
    try:
        answer, _ = ask(semantic, dbt_target, tmp_path, hangs, Budget(seconds=1))
    finally:
        ends.set()
    assert answer.status == "failed"
    assert "seconds" in answer.over
    assert not answer.rows


def test_what_may_mean_several_things_is_asked_back_and_one_of_them_chosen(
    semantic: SemanticLayer, dbt_target: Path, tmp_path: Path
) -> None:
    rows: dict[str, Scripted] = {
        "tool_failure": [{"agent": "analyst", "rate": 0.25}],
        "run_failure": [{"agent": "analyst", "rate": 0.5}],
    }
    asked, _ = ask(semantic, dbt_target, tmp_path, rows, question="failure rate by agent")
    assert (asked.status, asked.rows, asked.sql) == ("unclear", [], ""), asked.text
    assert len(asked.readings) > 1
    for number, reading in enumerate(asked.readings, start=1):
        assert f"{number}. {reading.sentence}" in asked.text
        chosen, _ = ask(
            semantic, dbt_target, tmp_path, rows, question="failure rate by agent", reading=number
        )
        assert chosen.meaning == reading
        again, _ = ask(semantic, dbt_target, tmp_path, rows, question=reading.sentence)
        assert again.meaning
        assert again.meaning.intent == reading.intent, "a reading's own sentence is that reading"
    in_words = dict.fromkeys(("2", "第二个"), asked.readings[1])
    for at, (said, reading) in enumerate(in_words.items()):
        ask(semantic, dbt_target, tmp_path, rows, question="failure rate by agent", session_id=f"s{at}")
        chosen, _ = ask(semantic, dbt_target, tmp_path, rows, question=said, session_id=f"s{at}")
        assert (chosen.question, chosen.meaning) == ("failure rate by agent", reading)
    for number in (9, -1):
        beyond, _ = ask(
            semantic, dbt_target, tmp_path, rows, question="failure rate by agent", reading=number
        )
        assert (beyond.status, beyond.rows) == ("declined", [])
        assert "by its number" in beyond.text


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("", "empty"),
        ("revenue " * 300, "at most 2,000"),
        ("ยอดขายเดือนที่แล้ว", "ask in English or Chinese"),
        ("revenue by country без Германии", "ask in English or Chinese"),
        ("why did revenue fall", "Causes"),
        ("revenue next year", "ahead"),
    ],
)
def test_what_is_not_understood_says_why(
    semantic: SemanticLayer, dbt_target: Path, tmp_path: Path, question: str, said: str
) -> None:
    answer, _ = ask(semantic, dbt_target, tmp_path, {}, question=question)
    assert (answer.status, answer.rows) == ("declined", [])
    assert said in answer.text


def test_rules_and_a_model_both_know_the_conversation(
    semantic: SemanticLayer, dbt_target: Path, tmp_path: Path
) -> None:
    """Each question is asked by an analyst of its own, as by processes one after another."""
    months: dict[str, Scripted] = {"revenue": MONTHS}
    alone, _ = ask(semantic, dbt_target, tmp_path, {}, question="And in January?", session_id="talk")
    assert alone.status != "answered", "there is nothing before it"
    first, _ = ask(semantic, dbt_target, tmp_path, months, session_id="talk", run_id="one")
    assert first.status == "answered"
    assert ask(semantic, dbt_target, tmp_path, months, session_id="talk", run_id="one")[0].text == first.text

    january: dict[str, Scripted] = {"revenue": MONTHS[:1]}
    follow_up, _ = ask(semantic, dbt_target, tmp_path, january, question="And in January?", session_id="talk")
    assert (follow_up.status, follow_up.rows) == ("answered", [["2026-01-01", 1250.5]]), follow_up.text
    assert first.meaning
    assert follow_up.meaning
    begins = Period(start=datetime(2026, 1, 1, tzinfo=UTC), end=datetime(2026, 2, 1, tzinfo=UTC))
    assert follow_up.meaning.intent == first.meaning.intent.model_copy(update={"window": begins})

    model = ScriptedModel(lambda asked: Say("I do not know."))
    ask(semantic, dbt_target, tmp_path, months, model=model, session_id="talk")
    shown, goal = [str(message.content) for message in model.asked[0].messages[1:3]]
    assert "Asked: revenue by month" in shown
    assert "1,250.5" in shown
    assert "Decided: " in shown
    assert " ".join(first.sql.split()) in shown
    assert "revenue by month" in goal

    ask(semantic, dbt_target, tmp_path, months, model=model, session_id="another")
    assert not [one for one in model.asked[-1].messages if "Earlier in this" in str(one.content)]
    turns = Turns(AgentSettings(state_dir=tmp_path).sessions_dir).of("talk")
    assert [turn.question for turn in turns].count("revenue by month") == 2
