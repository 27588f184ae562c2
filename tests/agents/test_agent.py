"""Agents as graphs of small real stages: killed at each step, side by side, and in loops."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from langchain_core.tools import StructuredTool

from agents.runtime.agent import (
    Agent,
    AgentNode,
    Approval,
    Branch,
    Done,
    Loop,
    StageNode,
    parallel,
    sequence,
)
from agents.runtime.approval import Decision, DecisionRefusedError, Proposal, ProposedCall
from agents.runtime.budget import Budget
from agents.runtime.door import run_sync
from agents.runtime.errors import PermanentError
from agents.runtime.graph import run_agent
from agents.runtime.models import Models
from agents.runtime.run import Run, Session
from agents.runtime.settings import AgentSettings
from agents.runtime.steps import open_steps
from agents.runtime.tools import ToolRegistry
from mender import (
    AGENT,
    ASK,
    FIRST,
    NOW,
    REGISTRY,
    TO_THE_QUESTION,
    Context,
    Noted,
    Notes,
    Question,
    decide,
    go,
    killed_everywhere,
    note,
    noting,
    writes,
    written,
)


def test_killed_at_any_step_before_the_question_another_process_asks_it(tmp_path: Path) -> None:
    steps = 0
    for folder, done in killed_everywhere(tmp_path, lambda _: None, lambda folder, _: go(folder), stride=3):
        steps += 3
        assert [request.what for request in done.waiting] == ["mend after 2 tries"]
        lines = written(folder)
        assert sorted(set(lines)) == sorted(TO_THE_QUESTION)
        # Only what was going on is done again: one call, or one on each side of the two.
        assert len(lines) <= len(TO_THE_QUESTION) + 2, lines
    assert steps > 30


def test_killed_at_any_step_after_the_answer_another_process_does_what_was_approved(tmp_path: Path) -> None:
    (tmp_path / "asked").mkdir()
    [request] = go(tmp_path / "asked").waiting

    def prepare(folder: Path) -> Decision:
        for name in ("r.sqlite", "notes"):
            (folder / name).write_bytes((tmp_path / "asked" / name).read_bytes())
        return decide(request)

    for folder, done in killed_everywhere(tmp_path, prepare, lambda folder, said: go(folder, decision=said)):
        assert done.ended
        assert done.decided(ASK).decision.by == "Ada"
        after = written(folder)[len(TO_THE_QUESTION) :]
        assert after in (["mended"], ["mended", "mended"]), "once, or again if it was going on"


def test_sides_run_at_once_each_at_its_own_pace_and_one_that_ended_is_not_repeated(tmp_path: Path) -> None:
    """The short side waits for what the long one writes in its second stage; then its own tool fails once."""
    far = asyncio.Event()
    failed: list[str] = []

    async def meet(line: str, context: Context) -> Noted:
        """Write a line, or wait for the other side."""
        if line == "far":
            far.set()
        if line == "wait":
            await asyncio.wait_for(far.wait(), 30)
            if not failed:
                failed.append(line)
                raise ConnectionError("away")
        return await note(line, context)

    registry = ToolRegistry()
    registry.register(StructuredTool.from_function(coroutine=meet, name="note"))
    registry.register(StructuredTool.from_function(coroutine=note, name="mend"), effects={"writes"})
    sides = parallel("both", writes("wait"), sequence(writes("near"), writes("far")))
    agent = Agent("mender", Question, sequence(sides, writes("after")))
    with pytest.raises(ConnectionError, match="away"):
        go(tmp_path, agent, registry=registry)
    done = go(tmp_path, agent, registry=registry)
    assert done.ended
    assert written(tmp_path) == ["near", "far", "wait", "after"]


def test_two_sides_may_ask_and_are_answered_one_after_the_other(tmp_path: Path) -> None:
    asks = {
        name: Approval(name, lambda done, name=name: Proposal(what=name), then=writes(f"do {name}"))
        for name in ("a", "b")
    }
    agent = Agent("mender", Question, sequence(parallel("both", *asks.values()), writes("after")))
    waiting = {request.key: request for request in go(tmp_path, agent).waiting}
    assert set(waiting) == {"a", "b"}
    done = go(tmp_path, agent, decision=decide(waiting["b"]))
    assert [request.key for request in done.waiting] == ["a"]
    assert written(tmp_path) == ["do b"]
    assert go(tmp_path, agent, decision=decide(waiting["a"], "reject")).ended
    assert written(tmp_path) == ["do b", "after"]


def mending(name: str, what: str = "") -> Approval:
    """Asks for the one call, and makes it."""
    calls = (ProposedCall(tool="mend", arguments={"line": "mended"}),)
    then = writes(f"{name} mends", "mended", tool="mend")
    return Approval(name, lambda done: Proposal(what=what or name, calls=calls), then)


TWICE = {
    "asked by both": parallel("both", mending("a"), sequence(FIRST, mending("b", "in other words"))),
    "asked for both": Approval(
        "a", mending("a").propose,
        parallel("both", writes("one", "mended", tool="mend"), writes("other", "mended", tool="mend")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("body", TWICE)
def test_a_call_that_two_sides_make_is_asked_for_once_and_made_once(tmp_path: Path, body: str) -> None:
    agent = Agent("mender", Question, TWICE[body])
    [request] = go(tmp_path, agent).waiting
    done = go(tmp_path, agent, decision=decide(request))
    assert done.ended
    assert written(tmp_path).count("mended") == 1
    made = [
        node
        for node in done.state["outcomes"]
        if "has none that was not used" not in done.state["outcomes"][node]
    ]
    assert len([node for node in made if node != "first"]) == 1, "the other is told that it was used"
    assert go(tmp_path, agent, decision=decide(request)).ended, "a retry"
    other = Decision(request="b", proposal=request.proposal, verdict="reject", by="Bob", at=NOW)
    with pytest.raises(DecisionRefusedError):
        go(tmp_path, agent, decision=other)
    assert written(tmp_path).count("mended") == 1


@pytest.mark.parametrize("body", TWICE)
def test_killed_at_any_step_of_it_the_side_that_made_it_goes_on_and_the_other_makes_none(
    tmp_path: Path, body: str
) -> None:
    agent = Agent("mender", Question, TWICE[body])
    (tmp_path / "asked").mkdir()
    [request] = go(tmp_path / "asked", agent).waiting

    def prepare(folder: Path) -> Decision:
        for path in (tmp_path / "asked").iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        return decide(request)

    def work(folder: Path, said: Decision) -> Done[Question]:
        return go(folder, agent, decision=said)

    for folder, done in killed_everywhere(tmp_path, prepare, work, stride=2):
        assert done.ended
        made = [kept for kept in done.state["outcomes"].values() if '"lines":["mended"]' in kept]
        assert len(made) == 1
        # Made again only if it was going on.
        assert written(folder).count("mended") in (1, 2)


def test_what_is_approved_in_each_pass_of_a_loop_is_made_in_each(tmp_path: Path) -> None:
    agent = Agent("mender", Question, Loop("tries", mending("ask"), lambda done: False, limit=2))
    [first] = go(tmp_path, agent).waiting
    [second] = go(tmp_path, agent, decision=decide(first)).waiting
    assert go(tmp_path, agent, decision=decide(second)).ended
    assert written(tmp_path) == ["mended", "mended"]


def test_over_budget_on_one_side_both_end_with_the_reason(tmp_path: Path) -> None:
    sides = (writes("left", "l1", "l2", "l3"), writes("right", "r1", "r2", "r3"))
    done = go(tmp_path, Agent("mender", Question, parallel("both", *sides)), budget=Budget(tool_calls=3))
    assert done.ended
    assert [done[side].passed for side in sides] == [False, False]
    assert {done[side].over for side in sides} <= {
        f"the run's budget is used up: {used} of 3 tool calls" for used in (3, 4)
    }
    assert len(written(tmp_path)) <= 4, "each side had one call under way at most"


def test_a_loop_ends_at_its_limit_and_asks_anew_in_each_pass(tmp_path: Path) -> None:
    ask = Approval("ask", lambda done: Proposal(what="more"), then=writes("more"))
    loop = Loop("tries", ask, lambda done: False, limit=2)
    agent = Agent("mender", Question, loop)
    [first] = go(tmp_path, agent).waiting
    [second] = go(tmp_path, agent, decision=decide(first)).waiting
    assert (first.key, second.key) == ("tries.1/ask", "tries.2/ask")
    with pytest.raises(DecisionRefusedError, match="comes second"):
        go(tmp_path, agent, decision=decide(first, "reject"))
    done = go(tmp_path, agent, decision=decide(second))
    assert (done.ended, done.turns(loop)) == (True, 2)
    assert written(tmp_path) == ["more", "more"]


def test_loops_within_loops_and_beside_others_count_for_themselves(tmp_path: Path) -> None:
    inner_try = StageNode(
        "try", Notes, lambda done: noting(("note", f"{done.turns(outer)}.{done.turns(inner)}"))
    )
    inner = Loop("inner", inner_try, lambda done: done[inner_try].work.lines[0].endswith(".1"), limit=9)
    again = StageNode("beside", Notes, lambda done: noting(("note", f"beside {done.turns(outer)}")))
    outer = Loop("outer", parallel("both", sequence(inner), again), lambda done: False, limit=2)
    done = go(tmp_path, Agent("mender", Question, outer))
    assert sorted(written(tmp_path)) == ["0.0", "0.1", "1.0", "1.1", "beside 0", "beside 1"]
    assert done[again].work.lines == ("beside 1",)
    assert done[inner_try].work.lines == ("1.1",)


@pytest.mark.parametrize(
    ("text", "lines"), [("why", ["first one", "first two", "yes"]), ("no", ["no"]), ("", [])]
)
def test_a_branch_takes_the_arm_that_it_chose_or_none(tmp_path: Path, text: str, lines: list[str]) -> None:
    arms = {"why": sequence(FIRST, writes("yes")), "no": writes("no")}
    agent = Agent("mender", Question, Branch("which", lambda done: text or None, arms))
    assert go(tmp_path, agent).ended
    assert written(tmp_path) == lines


def test_a_branch_that_chooses_what_is_not_there_is_said(tmp_path: Path) -> None:
    agent = Agent("mender", Question, Branch("which", lambda done: "maybe", {"yes": FIRST}))
    with pytest.raises(PermanentError, match="'which' chose 'maybe'; its arms are yes"):
        go(tmp_path, agent)


def test_an_agent_is_a_node_with_a_task_of_its_own_and_may_be_one_twice(tmp_path: Path) -> None:
    say = StageNode("say", Notes, lambda done: noting(("note", done.task.text)))
    ask = Approval("ask", lambda done: Proposal(what=done[say].work.lines[0]), then=writes("agreed"))
    inner = Agent("inner", Question, sequence(say, ask))
    once = AgentNode("once", inner, lambda done: Question(text="one"))
    twice = AgentNode(
        "twice", inner, lambda done: Question(text=f"not {done.within(once)[say].work.lines[0]}")
    )
    agent = Agent("outer", Question, sequence(once, twice))
    [first] = go(tmp_path, agent).waiting
    assert (first.key, first.what) == ("once/ask", "one")
    [second] = go(tmp_path, agent, decision=decide(first)).waiting
    assert (second.key, second.what) == ("twice/ask", "not one")
    done = go(tmp_path, agent, decision=decide(second, "reject"))
    assert written(tmp_path) == ["one", "agreed", "not one"]
    assert done.within(twice).task.text == "not one"


def test_what_a_run_has_used_counts_on_in_another_process(tmp_path: Path) -> None:
    runs: list[Run] = []

    def once(decision: Decision | None = None) -> Done[Question]:
        with open_steps(tmp_path, "r") as steps:
            run = Run(
                "mender", Session("talk"), "r", Models(AgentSettings(model="")),
                deps=tmp_path / "notes", registry=REGISTRY, checkpoints=steps.checkpoints,
            )  # fmt: skip
            runs.append(run)
            return run_sync(run_agent(AGENT, Question(), run, decision))

    [request] = once().waiting
    once(decide(request))
    assert [run.spent.tool_calls for run in runs] == [7, 8]


def test_another_task_or_another_graph_under_the_same_run_starts_anew(tmp_path: Path) -> None:
    go(tmp_path, Agent("mender", Question, FIRST))
    longer = go(tmp_path, Agent("mender", Question, sequence(FIRST, writes("more"))))
    assert longer.ended
    assert written(tmp_path) == ["first one", "first two", "more"], "a stage that has ended stays so"


def test_what_cannot_be_read_is_said_and_the_graph_starts_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    agent = Agent("mender", Question, FIRST)
    go(tmp_path, agent)
    with closing(sqlite3.connect(tmp_path / "r.sqlite")) as file:
        file.execute("update checkpoints set checkpoint = x'00' where thread_id like 'mender:%'")
        file.commit()
    assert go(tmp_path, agent).ended
    assert "what is kept of its graph cannot be read" in caplog.text
    assert written(tmp_path) == ["first one", "first two"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (sequence(FIRST, FIRST), "two nodes are called first"),
        (sequence(FIRST, Branch("first", lambda done: None, {})), "two nodes are called first"),
        (writes("a/b"), "cannot be called 'a/b'"),
        (writes(""), "cannot be called ''"),
    ],
)
def test_nodes_have_names_of_their_own(body: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Agent("mender", Question, body)
