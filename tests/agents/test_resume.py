"""A run that is stopped at any moment ends, when it is asked again, as if it had not been."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from agents.analyst import Analyst, report
from agents.analyst.answer import Answer
from agents.runtime import steps
from agents.runtime.events import Event
from agents.runtime.settings import AgentSettings
from agents.runtime.steps import Checkpoints
from warehouse import Catalogue, Warehouse, WarehouseSettings, connect
from warehouse.semantic import SemanticLayer

pytestmark = pytest.mark.integration
NOW = datetime.now(UTC)
COMPARED = "revenue from China this month compared to last month"
Ask = Callable[..., Answer]


class Stopped(BaseException):
    """The process ends here."""


@pytest.fixture(scope="module")
def reader(commerce: WarehouseSettings) -> Warehouse:
    return connect(commerce, read_only=True)


@pytest.fixture(scope="module")
def ask(
    commerce: WarehouseSettings, reader: Warehouse, semantic: SemanticLayer, tmp_path_factory: Any
) -> Ask:
    """Asks by an analyst of its own, as a new process would; `events` hears what it says."""
    catalogue = Catalogue.load(commerce.manifest_path, reader)
    state = tmp_path_factory.mktemp("state")

    def ask_(question: str, run_id: str, events: list[Any] | None = None, **settings: Any) -> Answer:
        def hear(event: Event) -> None:
            if events is not None and event.kind != "execution_completed":
                events.append((event.stage, event.kind, event.iteration, event.detail))

        configured = AgentSettings(**{"state_dir": state, "model": "", **settings})
        analyst = Analyst(reader, semantic, catalogue, configured, on_event=hear)
        return analyst.ask(question, run_id=run_id, now=NOW)

    return ask_


def said(answer: Answer) -> dict[str, Any]:
    """All of an answer that does not depend on when and where it was made."""
    return answer.model_dump(exclude={"run_id", "session_id", "trace_id", "report_path", "timings", "spent"})


def stops(monkeypatch: pytest.MonkeyPatch, last: int, *, kept: bool) -> None:
    """Runs end after `last` steps: when the last one has been kept, or just before."""

    class Stopping(Checkpoints):
        steps = 0

        def put(self, *arguments: Any) -> Any:
            Stopping.steps += 1
            if Stopping.steps == last and not kept:
                raise Stopped
            done = super().put(*arguments)
            if Stopping.steps == last:
                raise Stopped
            return done

    monkeypatch.setattr(steps, "Checkpoints", Stopping)


@pytest.mark.parametrize(
    ("question", "kept"),
    [
        pytest.param(COMPARED, True, id="after each step"),
        pytest.param("revenue in March 2019", False, id="before each is kept"),
        pytest.param("What is our churn prediction for next year?", True, id="of a refusal"),
    ],
)
def test_a_run_stopped_at_any_step_ends_as_if_it_had_not_been(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, question: str, kept: bool
) -> None:
    monkeypatch.setattr(report.rendering, "png", lambda *_: b"")
    monkeypatch.setattr(report.rendering, "html", lambda *_: "")
    whole: list[Any] = []
    expected = said(ask(question, f"whole {question} {kept}", whole))
    for last in count(1):
        run_id, heard = f"{last} {kept} {question}", []
        stops(monkeypatch, last, kept=kept)
        try:
            ask(question, run_id, heard)
        except Stopped:
            pass
        else:
            break
        finally:
            monkeypatch.setattr(steps, "Checkpoints", Checkpoints)
        before = len(heard)
        assert said(ask(question, run_id, heard)) == expected
        # A step that was kept is not made again; one that was not, is, and says so again.
        repeated = [] if kept else [event for event in heard[before:] if event in heard[:before]]
        for event in repeated:
            heard.remove(event)
        assert heard == whole, f"stopped at step {last}"
        assert len(repeated) <= 1
    assert last > 2 * sum(kind == "tool_called" for _, kind, _, _ in whole)


def test_a_killed_process_leaves_what_another_needs_to_go_on(
    ask: Ask, commerce: WarehouseSettings, tmp_path: Path
) -> None:
    expected = said(ask(COMPARED, "whole", state_dir=tmp_path))
    run_ids = {f"killed-{last}": last for last in (2, 9, 15, 16, 24, 36, 48, 0)}
    asked = {
        "warehouse": {
            **commerce.model_dump(mode="json", exclude={"warehouse_password"}),
            "warehouse_reader_password": commerce.warehouse_reader_password.get_secret_value(),
        },
        "state": str(tmp_path),
        "run_ids": run_ids,
        "question": COMPARED,
        "now": NOW.isoformat(),
    }
    script = Path(__file__).with_name("killed_run.py")
    done = subprocess.run(
        [sys.executable, str(script), json.dumps(asked)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    calls = []
    for run_id in run_ids:
        assert not (tmp_path / "reports" / run_id).exists(), f"{run_id} was not killed"
        heard: list[Any] = []
        assert said(ask(COMPARED, run_id, heard, state_dir=tmp_path)) == expected, run_id
        assert (tmp_path / "reports" / run_id / "index.html").exists()
        calls.append(sum(event[1] == "tool_called" for event in heard))
    # The later it was killed, the fewer calls were left; none while the report was written.
    assert calls == sorted(calls, reverse=True)
    assert (calls[0], calls[-1]) == (7, 0)
