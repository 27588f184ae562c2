"""What `tidemark ask` prints, and how it ends."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents.analyst.answer import Answer, AnswerColumn, Meaning
from agents.analyst.intent import Intent, MetricOf
from agents.runtime.events import Event
from free_ports import free_port
from tidemark.ask import SHOWN_ROWS, show, show_answer
from tidemark.cli import app


def test_an_answer_is_shown_with_its_first_rows_its_sql_and_what_was_checked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = Answer(
        run_id="r",
        question="q",
        language="en",
        status="answered",
        text="Revenue was $3 [sic]",
        sql="select [1]",
        columns=[
            AnswerColumn(name="c", label="Country", role="category"),
            AnswerColumn(name="r", label="Revenue", role="measure", unit="USD"),
        ],
        rows=[[f"country {number}", number] for number in range(SHOWN_ROWS + 3)],
        checks={"ran": True, "valid": False},
        report_path="/r/index.html",
        asked_at=datetime.now(UTC),
    )
    show_answer(answer)
    said = capsys.readouterr().out
    assert "Revenue was $3 [sic]" in said
    assert said.count("country ") == SHOWN_ROWS
    assert "... 3 more rows in the report" in said
    assert "select [1]" in said
    assert "checked: ran, not valid\nreport /r/index.html" in said


def test_what_was_understood_is_said_and_how_one_of_several_meanings_is_chosen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    known = Meaning(intent=Intent(measures=(MetricOf(name="revenue"),)), sentence="Revenue [all]")
    answer = Answer(
        run_id="r", question="q", language="en", status="answered", text="$3", asked_at=datetime.now(UTC)
    )
    show_answer(answer.model_copy(update={"meaning": known}))
    assert "understood as: Revenue [all]" in capsys.readouterr().out
    show_answer(answer.model_copy(update={"status": "unclear", "readings": [known]}))
    assert "Ask again with --reading and its number." in capsys.readouterr().out


def test_what_the_agent_does_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    run = {"session_id": "s", "trace_id": "t", "agent": "analyst", "stage": "sql"}
    show(Event(**run, kind="tool_called", detail='{"tool": "run_[sql]"}'))
    show(Event(**run, kind="iteration_completed", detail='{"reasons": []}'))
    said = capsys.readouterr()
    assert said.out == ""
    assert "run_[sql]" in said.err
    assert "all checks passed" in said.err


def test_a_warehouse_that_is_away_ends_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMARK_HOME", str(tmp_path))
    monkeypatch.setenv("TIDEMARK_KAFKA_BOOTSTRAP", f"127.0.0.1:{free_port()}")
    monkeypatch.setenv("TIDEMARK_WAREHOUSE_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("TIDEMARK_FLUSH_SECONDS", "0.2")
    asked = CliRunner().invoke(app, ["ask", "revenue last month", "--json"])
    assert asked.exit_code == 1
    assert asked.output.startswith("error: ")
    assert asked.output.count("\n") == 1
