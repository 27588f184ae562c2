"""A person's decision: kept, of one proposal, the first or refused, whichever process takes it."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agents.runtime.agent import (
    Agent,
    Approval,
    sequence,
)
from agents.runtime.approval import Decision, DecisionRefusedError, Proposal, ProposedCall
from agents.runtime.budget import Budget
from agents.runtime.door import run_sync
from agents.runtime.errors import PermanentError, TransientError
from agents.runtime.graph import run_agent
from agents.runtime.models import Models
from agents.runtime.run import Run, Session
from agents.runtime.settings import AgentSettings
from agents.runtime.testing import FakeClock
from mender import (
    AGENT,
    ASK,
    DAY,
    FIRST,
    NOW,
    REGISTRY,
    TO_THE_QUESTION,
    Question,
    decide,
    go,
    in_another_process,
    kept_steps,
    writes,
    written,
)


def test_an_approval_after_a_day_in_another_process(tmp_path: Path) -> None:
    """Neither the steps nor the time that a run may take wear out while a person is away."""
    clock = FakeClock(NOW)
    seen: list[Any] = []
    assert in_another_process(lambda: go(tmp_path, clock=clock, budget=Budget(seconds=600))) == 0
    clock.advance(DAY)
    [request] = go(tmp_path, clock=clock, budget=Budget(seconds=600)).waiting
    assert (request.what, request.effects) == ("mend after 2 tries", ("writes",))
    assert request.evidence == ("first one", "first two")
    clock.advance(DAY)
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    done = go(tmp_path, decision=decide(request, at=clock.now()), clock=clock, tracer_provider=provider)
    seen = written(tmp_path)
    assert done.ended
    assert seen == [*TO_THE_QUESTION, "mended"]
    [span] = [span for span in spans.get_finished_spans() if span.name == "approval ask"]
    attributes = dict(span.attributes or {})
    assert attributes["tidemark.decision.by"] == "Ada"
    assert attributes["tidemark.decision.at"] == "2026-11-23T09:00:00Z"
    assert attributes["tidemark.run_id"] == "r"


def test_what_is_rejected_is_not_done(tmp_path: Path) -> None:
    [request] = go(tmp_path).waiting
    done = go(tmp_path, decision=decide(request, "reject", reason="not on a Saturday"))
    assert done.ended
    assert written(tmp_path)[-1] == "leave"
    assert "mended" not in written(tmp_path)


def test_the_second_answer_is_refused_and_the_first_named(tmp_path: Path) -> None:
    [request] = go(tmp_path).waiting
    first = decide(request)
    go(tmp_path, decision=first)
    second = Decision(**{**first.model_dump(), "by": "Bob", "verdict": "reject"})
    with pytest.raises(DecisionRefusedError, match=r"approved by Ada at 2026-11-21T09.*Bob comes second"):
        go(tmp_path, decision=second)
    assert go(tmp_path, decision=first).ended, "the very same is a retry of the same task"
    assert written(tmp_path).count("mended") == 1


def test_an_answer_that_a_killed_process_was_given_stands(tmp_path: Path) -> None:
    (tmp_path / "asked").mkdir()
    [request] = go(tmp_path / "asked").waiting
    for step in range(1, 6):
        folder = tmp_path / str(step)
        folder.mkdir()
        for name in ("r.sqlite", "notes"):
            (folder / name).write_bytes((tmp_path / "asked" / name).read_bytes())
        in_another_process(kept_steps(lambda: go(folder, decision=decide(request)), step))  # noqa: B023
        with pytest.raises(DecisionRefusedError, match="comes second"):
            go(folder, decision=decide(request, "reject", at=NOW + timedelta(hours=1)))
        assert go(folder).decided(ASK).approved
        assert written(folder)[-1] == "mended"


def test_a_decision_about_a_proposal_that_has_changed_is_refused(tmp_path: Path) -> None:
    """Before the run took note of the change, and after."""
    what = ["reload the day"]
    ask = Approval("ask", lambda done: Proposal(what=what[0]), then=writes("reload"))
    agent = Agent("mender", Question, ask)
    [first] = go(tmp_path, agent).waiting
    what[0] = "reload the month"
    for _ in range(2):
        with pytest.raises(DecisionRefusedError, match=r"has changed since Ada decided.*'reload the month'"):
            go(tmp_path, agent, decision=decide(first))
    [second] = go(tmp_path, agent).waiting
    assert second.what == "reload the month"
    assert go(tmp_path, agent, decision=decide(second)).ended
    assert written(tmp_path) == ["reload"]


def test_a_decision_that_nobody_asked_for_is_refused(tmp_path: Path) -> None:
    nothing = Decision(request="ask", proposal="0", verdict="approve", by="Ada", at=NOW)
    with pytest.raises(DecisionRefusedError, match="asks for nothing"):
        go(tmp_path, decision=nothing)
    go(tmp_path)
    with pytest.raises(DecisionRefusedError, match="as 'other': the run asks for 'ask'"):
        go(tmp_path, decision=nothing.model_copy(update={"request": "other"}))


def test_edits_change_arguments_and_no_tools(tmp_path: Path) -> None:
    [request] = go(tmp_path).waiting
    added = ProposedCall(tool="note", arguments={"line": "mine"})
    with pytest.raises(DecisionRefusedError, match="Ada added note to 'ask'"):
        go(tmp_path, decision=decide(request, edits=(added,)))
    edited = ProposedCall(tool="mend", arguments={"line": "mended otherwise"})
    go(tmp_path, decision=decide(request, edits=(edited,)))
    assert written(tmp_path)[-1] == "mended otherwise"


def test_without_an_approval_of_this_very_call_the_tool_does_not_run(tmp_path: Path) -> None:
    """Neither before one nor with other arguments, and not a second time with the same."""
    before = writes("before", "mended", tool="mend")
    then = sequence(
        writes("other", "something else", tool="mend"),
        writes("now", "mended", tool="mend"),
        writes("again", "mended", tool="mend"),
    )
    agent = Agent("mender", Question, sequence(FIRST, before, Approval("ask", ASK.propose, then)))
    done = go(tmp_path, agent)
    assert "needs a person's approval" in str(done[before].work.refused)
    [request] = done.waiting
    done = go(tmp_path, agent, decision=decide(request))
    assert done.ended
    assert written(tmp_path) == ["first one", "first two", "mended"]


def test_an_agent_that_asks_cannot_run_without_kept_steps() -> None:
    run = Run("mender", Session("talk"), "r", Models(AgentSettings(model="")), registry=REGISTRY)
    with pytest.raises(PermanentError, match="Give it a run id"):
        run_sync(run_agent(AGENT, Question(), run))


def test_of_two_answers_from_two_processes_at_once_one_stands(tmp_path: Path) -> None:
    """The other is told to wait, or that it comes second."""
    [request] = go(tmp_path).waiting
    children = []
    for by in ("Ada", "Bob"):
        if child := os.fork():
            children.append(child)
            continue
        try:
            go(tmp_path, decision=Decision(**{**decide(request).model_dump(), "by": by}))
            os._exit(0)
        except (DecisionRefusedError, TransientError):
            os._exit(7)
        except BaseException:
            os._exit(1)
    codes = sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
    assert codes == [0, 7]
    assert written(tmp_path).count("mended") == 1
