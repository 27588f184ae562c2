"""A small agent that writes lines down, asks before it mends, and can be killed at any kept step."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from langchain_core.tools import InjectedToolArg, StructuredTool
from pydantic import BaseModel

from agents.runtime import steps
from agents.runtime.agent import (
    Agent,
    Approval,
    Done,
    Loop,
    StageNode,
    parallel,
    sequence,
)
from agents.runtime.approval import Decision, Proposal, ProposedCall, Request
from agents.runtime.door import run_sync
from agents.runtime.graph import run_agent
from agents.runtime.models import Models
from agents.runtime.rules import Move
from agents.runtime.run import Run, Session
from agents.runtime.scoring import Score
from agents.runtime.settings import AgentSettings
from agents.runtime.stage import Stage
from agents.runtime.steps import open_steps
from agents.runtime.tools import Result, ToolContext, ToolRegistry
from agents.runtime.work import ToolCall, Work

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
DAY = 86_400.0


class Question(BaseModel):
    text: str = "why"


class Noted(Result):
    line: str


class Notes(Work):
    """The lines that were written; whatever was refused ends the stage too."""

    to_write: tuple[tuple[str, str], ...]
    lines: tuple[str, ...] = ()

    def reduce(self, call: ToolCall, result: Any) -> Notes:
        return self.having(lines=(*self.lines, result.line))


Context = Annotated[ToolContext[Notes, Path], InjectedToolArg]


async def note(line: str, context: Context) -> Noted:
    """Write a line down."""
    with context.deps.open("a") as file:
        file.write(f"{line}\n")
    return Noted(line=line)


REGISTRY = ToolRegistry()
REGISTRY.register(StructuredTool.from_function(coroutine=note, name="note"))
REGISTRY.register(StructuredTool.from_function(coroutine=note, name="mend"), effects={"writes"})


def noting(*calls: tuple[str, str]) -> Stage[Notes]:
    """A stage that makes one call after another."""

    def move(work: Notes) -> Move:
        tool, line = work.to_write[len(work.lines) + len(work.refused)]
        return Move(line, ((tool, {"line": line}),))

    def score(work: Notes) -> Score:
        done, refused = len(work.lines), tuple(work.refused.values())
        ended = done + len(refused) >= len(work.to_write)
        return Score(done / max(1, len(work.to_write)), refused, final=ended)

    work = Notes(to_write=calls)
    return Stage("noting", "note", work, ("note", "mend"), "Note.", 1.0, 9, score, move, identity=str(calls))


def writes(name: str, *lines: str, tool: str = "note") -> StageNode[Notes]:
    return StageNode(name, Notes, lambda done: noting(*((tool, line) for line in lines or (name,))))


FIRST = writes("first", "first one", "first two")
TRY = StageNode("try", Notes, lambda done: noting(("note", f"try {done.turns(TRIES) + 1}")))
TRIES = Loop("tries", TRY, lambda done: done[TRY].work.lines == ("try 2",), limit=5)
ASK: Approval = Approval(
    "ask",
    lambda done: Proposal(
        what=f"mend after {done.turns(TRIES)} tries",
        calls=(ProposedCall(tool="mend", arguments={"line": "mended"}),),
        evidence=done[FIRST].work.lines,
    ),
    then=StageNode(
        "apply", Notes, lambda done: noting(*((c.tool, c.arguments["line"]) for c in decided(done).calls))
    ),
    otherwise=writes("leave"),
)
BOTH = parallel("both", writes("left"), sequence(writes("right"), writes("further right")))
AGENT = Agent("mender", Question, sequence(FIRST, BOTH, TRIES, ASK))
TO_THE_QUESTION = ["first one", "first two", "left", "right", "further right", "try 1", "try 2"]


def decided(done: Done[Any]) -> Any:
    return done.decided(ASK)


def go(
    folder: Path, agent: Agent[Question] = AGENT, decision: Decision | None = None, **more: Any
) -> Done[Question]:
    """What a process does: open the run's steps, run the agent, close them."""
    with open_steps(folder, "r") as steps:
        run = Run(
            "mender", Session("talk"), "r", Models(AgentSettings(model="")),
            deps=folder / "notes", checkpoints=steps.checkpoints, **{"registry": REGISTRY, **more},
        )  # fmt: skip
        return run_sync(run_agent(agent, Question(), run, decision))


def written(folder: Path) -> list[str]:
    path = folder / "notes"
    return path.read_text().splitlines() if path.exists() else []


def in_another_process(work: Callable[[], Any]) -> int:
    """The signal or the code that a process ended with."""
    if child := os.fork():
        return os.waitpid(child, 0)[1]
    try:
        work()
    except BaseException:
        os._exit(1)
    os._exit(0)


def decide(request: Request, verdict: Any = "approve", at: datetime = NOW, **more: Any) -> Decision:
    return Decision(request=request.key, proposal=request.proposal, verdict=verdict, by="Ada", at=at, **more)


def kept_steps(work: Callable[[], Any], die_at: int) -> Callable[[], Any]:
    """The work, killed (SIGKILL) when so many checkpoints and ends of calls have been kept."""

    def dying() -> None:
        kept = 0

        class Mortal(steps.Checkpoints):
            def put(self, *arguments: Any) -> Any:
                return self._count(super().put(*arguments))

            def put_writes(self, *arguments: Any) -> None:
                self._count(super().put_writes(*arguments))

            def _count(self, value: Any) -> Any:
                nonlocal kept
                kept += 1
                return os.kill(os.getpid(), signal.SIGKILL) if kept == die_at else value

        steps.Checkpoints = Mortal
        work()

    return dying


def killed_everywhere(
    tmp_path: Path, prepare: Callable[[Path], Any], work: Callable[[Path, Any], Any], stride: int = 1
) -> Any:
    """Do the work in a process that is killed after its first kept step, then after a later one, and so on to
    the end, each in a folder of its own; yields what the work comes to when it is done again.
    """
    for step in range(1, 1000, stride):
        folder = tmp_path / f"killed after {step}"
        folder.mkdir()
        prepared = prepare(folder)
        ended = in_another_process(kept_steps(lambda: work(folder, prepared), step))  # noqa: B023
        assert ended in (0, signal.SIGKILL)
        yield folder, work(folder, prepared)
        if ended == 0:
            return
    raise AssertionError("the work never ended")
