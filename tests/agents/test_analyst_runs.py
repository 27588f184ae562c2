"""The analyst's runs over a real warehouse: over budget, cancelled, held up, two at once in a session."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.analyst import Analyst
from agents.analyst.answer import Answer
from agents.runtime.budget import Budget
from agents.runtime.door import run_sync
from agents.runtime.events import Event
from agents.runtime.run import RunCancelledError
from agents.runtime.settings import AgentSettings
from warehouse import Catalogue, Warehouse, WarehouseSettings, connect
from warehouse.semantic import SemanticLayer

pytestmark = pytest.mark.integration
QUESTION = "revenue from China last month"
Open = Callable[..., Analyst]


@pytest.fixture(scope="module")
def reader(commerce: WarehouseSettings) -> Warehouse:
    return connect(commerce, read_only=True)


@pytest.fixture
def open_analyst(
    commerce: WarehouseSettings, reader: Warehouse, semantic: SemanticLayer, tmp_path: Path
) -> Open:
    def open_(warehouse: Any = reader, on_event: Any = None, **settings: Any) -> Analyst:
        catalogue = Catalogue.load(commerce.manifest_path, reader)
        configured = AgentSettings(state_dir=tmp_path, **{"model": "", **settings})
        return Analyst(warehouse, semantic, catalogue, configured, on_event=on_event)

    return open_


def test_over_budget_ends_with_what_was_found_and_the_reason_and_asked_again_it_is_answered(
    open_analyst: Open,
) -> None:
    events: list[Event] = []
    analyst = open_analyst(on_event=events.append)
    # Search, value, compile, dry run, execute: then there is nothing left for the chart.
    answer = analyst.ask(QUESTION, run_id="poor", budget=Budget(tool_calls=5))
    over = "the run's budget is used up: 5 of 5 tool calls"
    assert (answer.status, answer.over, answer.spent.tool_calls) == ("failed", over, 5)
    assert len(answer.rows) == 1
    assert over in answer.text
    assert over in (Path(answer.report_path) / "answer.md").read_text()
    assert over in events[-1].detail
    assert analyst.ask(QUESTION, run_id="poor").status == "answered"
    assert open_analyst(budget={"tool_calls": 2}).ask(QUESTION).over.endswith("2 of 2 tool calls")


def test_who_follows_cancels_it_and_the_same_run_goes_on_where_it_stopped(open_analyst: Open) -> None:
    whole = open_analyst().ask(QUESTION)

    async def follow(analyst: Analyst) -> list[str]:
        run = analyst.run(session_id="talk", run_id="followed")
        working = asyncio.create_task(analyst.answer(QUESTION, run))
        seen = []
        async for event in run.events():
            seen.append(f"{event.stage} {event.kind}")
            if event.stage != "sql":
                run.cancel("the page was closed")
        with pytest.raises(RunCancelledError, match="the page was closed"):
            await working
        return seen

    before = threading.active_count()
    seen = run_sync(follow(open_analyst()))
    assert seen[-1] == " execution_completed"
    assert threading.active_count() <= before
    later: list[Event] = []
    answer = open_analyst(on_event=later.append).ask(QUESTION, session_id="talk", run_id="followed")
    assert (answer.status, answer.text, answer.rows) == ("answered", whole.text, whole.rows)
    assert "sql" not in {event.stage for event in later}
    assert {event.session_id for event in later} == {"talk"}


def test_two_runs_of_one_session_at_once_answer_as_one_after_another(open_analyst: Open) -> None:
    questions = (QUESTION, "上个月销售额最高的五个品类是什么？", "Return rate by country in the last 30 days")
    analyst = open_analyst()
    expected = [analyst.ask(question) for question in questions]

    async def together() -> list[Answer]:
        runs = [analyst.run(session_id="talk", run_id=f"run {number}") for number in range(len(questions))]
        return await asyncio.gather(
            *(analyst.answer(question, run) for question, run in zip(questions, runs, strict=True))
        )

    answers = run_sync(together())
    for answer, alone in zip(answers, expected, strict=True):
        assert (answer.status, answer.text, answer.rows) == (alone.status, alone.text, alone.rows)
    assert {answer.session_id for answer in answers} == {"talk"}
    assert len({answer.run_id for answer in answers}) == len(questions)
