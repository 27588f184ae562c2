"""The steward's tools: what it asks, what it writes, and the acts that a person must approve."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from langchain_core.tools import InjectedToolArg, tool
from pydantic import BaseModel, Field

from agents.runtime.errors import PermanentError, ToolError
from agents.runtime.tools import REGISTRY, ToolContext
from agents.runtime.work import call_key
from agents.steward.case import Cite, Step
from agents.steward.evidence import WINDOW_DAYS, Asking
from agents.steward.rechecking import void_calls
from agents.steward.repair import Means, put_aside
from agents.steward.verifying import fault_in
from agents.steward.wording import Statement
from agents.steward.works import (
    Acted,
    Answered,
    Checked,
    EvidenceWork,
    Looked,
    MendWork,
    PlanWork,
    ReportWork,
    Sized,
    Told,
    Traced,
)

PLANNING = ("trace_lineage", "measure_volumes")
EXAMINING = ("ask_about", "failing_rows", "check_again")
TELLING = ("write_report",)
ACTING = ("look_again", "reload_days", "quarantine_rows", "rebuild_and_check")
Question = Literal["profile", "distributions", "versions", "orphans", "childless", "arrivals"]


@REGISTRY.register(effects={"reads"})
@tool
def trace_lineage(context: Annotated[ToolContext[PlanWork, Means], InjectedToolArg]) -> Traced:
    """Find the loaded tables that the failed checks rest on."""
    tables = [check.table for check in context.work.failure.checks if check.table]
    return Traced(tables=context.deps.lineage.upstream(tables))


@REGISTRY.register(effects={"reads"}, retries=1)
@tool
def measure_volumes(context: Annotated[ToolContext[PlanWork, Means], InjectedToolArg]) -> Sized:
    """Count the rows of each table and day, and choose the days to compare."""
    named = [day for check in context.work.failure.checks for day in check.days]
    # Those after it are compared with it too.
    upto = max(named) + timedelta(days=WINDOW_DAYS // 2) if named else None
    asking = Asking(context.deps.reader, context.deps.lineage.sources)
    extent, measured = asking.volumes(upto, context.work.tables)
    return Sized(extent=extent, measured=measured.plain(), held=asking.held)


@REGISTRY.register(effects={"reads"}, retries=1)
@tool
def ask_about(
    question: Annotated[Question, Field(description="what to measure of each day beside the others")],
    table: Annotated[str, Field(description="a table of the plan")],
    context: Annotated[ToolContext[EvidenceWork, Means], InjectedToolArg],
) -> Answered:
    """Ask one question about a table's days: its signs are what one day has that the others do not."""
    if (question, table) not in context.work.questions:
        raise ToolError(f"there is nothing to ask of {table} by {question!r}; see the goal's questions")
    extent = context.work.extent
    found = _asking(context.deps, tuple(extent.sizes)).answer(question, table, extent)
    return Answered(measured=tuple(one.plain() for one in found))


@REGISTRY.register(effects={"reads"}, retries=1)
@tool
def failing_rows(
    check: Annotated[int, Field(description="the check's number, from 0", ge=0)],
    context: Annotated[ToolContext[EvidenceWork, Means], InjectedToolArg],
) -> Answered:
    """The rows that fail a check, and how many on which day and from which load."""
    checks = context.work.failure.checks
    if check >= len(checks):
        raise ToolError(f"there are {len(checks)} failed checks, numbered from 0")
    asking = _asking(context.deps, tuple(context.work.extent.sizes))
    return Answered(measured=tuple(one.plain() for one in asking.failing(checks[check], check)))


@REGISTRY.register(effects={"reads"}, timeout_s=300)
@tool
def check_again(context: Annotated[ToolContext[EvidenceWork, Means], InjectedToolArg]) -> Checked:
    """Make the failed task's check again, and say what fails now."""
    try:
        return Checked(failing=context.deps.recheck(context.work.failure, False))
    except PermanentError as error:
        raise ToolError(f"the check could not be made again, because {error}") from error


@REGISTRY.register(effects={"reads"}, timeout_s=300, retries=1)
@tool
def look_again(context: Annotated[ToolContext[MendWork, Means], InjectedToolArg]) -> Looked:
    """Look whether what was approved is still about something: days may have been loaded since."""
    return Looked(void=void_calls(context.work, context.deps))


# What it writes follows from what was approved: it builds tables again from those below them.
@REGISTRY.register(effects={"writes"}, timeout_s=900, approval=False)
@tool
def rebuild_and_check(context: Annotated[ToolContext[MendWork, Means], InjectedToolArg]) -> Checked:
    """Build again what the failed task's check reads, make the check, and say what fails now."""
    try:
        return Checked(failing=context.deps.recheck(context.work.failure, True))
    except PermanentError as error:
        # What was done is done, and is told.
        return Checked(refused=str(error))


class Said(BaseModel):
    """One sentence of the report, the finding that it tells of, and the rows that carry it."""

    text: str = Field(min_length=1, description="one sentence; names of tables and columns in backticks")
    finding: int | None = Field(None, description="the number of the finding whose fault it names")
    cites: list[Cite] = Field(description="rows of evidence that hold every figure and day of the text")


@REGISTRY.register()
@tool
def write_report(
    statements: list[Said], context: Annotated[ToolContext[ReportWork, Means], InjectedToolArg]
) -> Told:
    """Write the report. A statement that the rows it cites do not carry is dropped."""
    work = context.work
    kept, dropped = [], []
    for said in statements:
        fault = None
        if said.finding is not None:
            if not 0 <= said.finding < len(work.findings):
                raise ToolError(f"there is no finding {said.finding}: they are 0 to {len(work.findings) - 1}")
            fault = work.findings[said.finding].fault
        statement = Statement(text=said.text, fault=fault, cites=tuple(said.cites))
        reason = fault_in(statement, work.evidence, work.findings, work.language)
        if reason:
            dropped.append((said.text, reason))
        else:
            kept.append(statement)
    return Told(kept=tuple(kept), dropped=tuple(dropped))


@REGISTRY.register(effects={"writes"}, timeout_s=900)
@tool
def reload_days(days: list[date], context: Annotated[ToolContext[MendWork, Means], InjectedToolArg]) -> Acted:
    """Load days again from the source, every table, in place of what is held of them."""
    _require(context.work, "reload_days", days=[str(day) for day in days])
    with _told():
        return Acted(done=context.deps.reload_days(tuple(days)))


@REGISTRY.register(effects={"writes"}, timeout_s=300)
@tool
def quarantine_rows(
    step: Step, reason: str, context: Annotated[ToolContext[MendWork, Means], InjectedToolArg]
) -> Acted:
    """Put the rows of some days that meet a condition aside, with the reason, and keep the rest."""
    _require(context.work, "quarantine_rows", step=step.model_dump(mode="json"), reason=reason)
    with _told():
        return Acted(done=put_aside(step, context.deps, context.run_id, reason))


def _require(work: MendWork, tool_: str, **arguments: Any) -> None:
    """Nothing is done about what nobody has looked at again, or what is gone."""
    if work.void is None:
        raise ToolError("look_again first: what was approved may be about nothing by now")
    if why := work.void.get(call_key(tool_, arguments)):
        raise ToolError(why)


@contextmanager
def _told() -> Iterator[None]:
    """An act that cannot be done is told in the report, beside those that were."""
    try:
        yield
    except PermanentError as error:
        raise ToolError(str(error)) from error


def _asking(means: Means, tables: tuple[str, ...]) -> Asking:
    known: Any = means.lineage.sources
    return Asking(means.reader, {name: known[name] for name in tables})
