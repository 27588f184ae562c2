"""The steward's public face: a failure in, a report and a proposal out; a decision in, act and check out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime
from typing import Literal

from langchain_core.language_models import BaseChatModel
from opentelemetry.trace import TracerProvider

from agents.runtime import tracing
from agents.runtime.agent import Done
from agents.runtime.approval import Decision, DecisionRefusedError
from agents.runtime.budget import Budget
from agents.runtime.door import run_sync
from agents.runtime.errors import TransientError
from agents.runtime.events import EventSink, EventStream
from agents.runtime.graph import run_agent
from agents.runtime.history import Turns
from agents.runtime.models import Models
from agents.runtime.run import Run, Session
from agents.runtime.settings import AgentSettings
from agents.runtime.steps import file_name, open_steps
from agents.steward import memory
from agents.steward import report as reports
from agents.steward.case import Action, Proposal
from agents.steward.repair import Means
from agents.steward.report import Decided, Report
from agents.steward.stages import (
    ASK,
    EVIDENCE,
    MEND,
    PLAN,
    REPORT,
    STEWARD,
    calls_of,
    proposals,
    still,
)
from agents.steward.wording import WORDS
from agents.steward.works import Case
from warehouse.errors import TransientError as WarehouseAway

AGENT = "steward"
# What the report may take when the budget's seconds are used up.
_REPORT_S = 15.0
Choice = Action | Literal["leave"]


class Steward:
    """Examines failures of one warehouse, and mends what a person says is to be mended."""

    def __init__(
        self,
        means: Means,
        settings: AgentSettings,
        model: BaseChatModel | None = None,
        on_event: EventSink | None = None,
        tracer_provider: TracerProvider | None = None,
    ) -> None:
        """`model` goes before TIDEMARK_MODEL; without a tracer provider the process's own is used."""
        self._means = means
        self._settings = settings
        self._models = Models(settings, model)
        self._turns = Turns(settings.sessions_dir)
        self._sinks = () if on_event is None else (on_event,)
        self._tracer_provider = tracer_provider

    def run(self, run_id: str, budget: Budget | None = None) -> Run:
        """One failure to examine: to follow, to cancel, to `report` on."""
        identity = file_name(run_id)
        return Run(
            agent=AGENT,
            session=Session(identity),
            run_id=identity,
            models=self._models,
            deps=self._means,
            budget=budget or self._settings.budget,
            stream=EventStream(*self._sinks),
            tracer_provider=self._tracer_provider,
        )

    def examine(self, case: Case, run_id: str, budget: Budget | None = None) -> Report:
        """Find out why something failed, and write the report folder `reports/<run id>/`.

        The same case with the same run id goes on where it stopped, in any process. Raises TransientError
        when the warehouse is away or another process is at this run.
        """
        run = self.run(run_id, budget)
        return run_sync(self.report(case, run), run.ends_within(_REPORT_S))

    def decide(
        self, case: Case, run_id: str, choice: Choice, *, by: str, at: datetime, seen: str | None = None
    ) -> Report:
        """Do what a person chose of the proposals, or leave it; check again, and write the report anew.

        The same decision a second time does nothing more. Raises DecisionRefusedError for another one, or
        for one about something that is not proposed (any more): `seen` is the proposal that the person read.
        """
        return run_sync(self.report(case, self.run(run_id), choice=choice, by=by, at=at, seen=seen))

    async def report(
        self,
        case: Case,
        run: Run,
        choice: Choice | None = None,
        by: str = "",
        at: datetime | None = None,
        seen: str | None = None,
    ) -> Report:
        """`examine`, or with a choice `decide`, for a caller that can await."""
        with self._alone(choice), open_steps(self._settings.steps_dir, run.run_id) as steps:
            steps.begin(case.model_dump_json(), case.asked_at)
            run = replace(run, checkpoints=steps.checkpoints)
            question = title(case)
            with run.spans.run(question) as span:
                async with run.scope():
                    try:
                        done = await run_agent(STEWARD, case, run)
                        if choice is not None:
                            decision = self._decision(done, choice, by, at, seen)
                            done = await run_agent(STEWARD, case, run, decision)
                    except WarehouseAway as error:
                        raise TransientError(f"The warehouse cannot answer now: {error}") from error
                    told = _report(done, run, question, tracing.trace_id(span))
                    told.model = self._models.name
                    told.earlier = memory.earlier(told, self._turns)
                    memory.remember(told, self._turns)
                    await run.threaded(lambda: reports.write(told, self._settings.reports_dir))
                    span.set_attribute("tidemark.status", told.status)
                    run.emit(
                        "execution_completed", status=told.status, text=told.text, reasons=told.reasons,
                        report=told.report_path,
                    )  # fmt: skip
            steps.end("answered")
        return told

    def _alone(self, choice: Choice | None) -> AbstractContextManager[object]:
        """One process mends at a time: two that change one day would each put back what the other took."""
        if choice in (None, "leave"):
            return nullcontext()
        return open_steps(self._settings.steps_dir, "mending.one-at-a-time")

    def _decision(
        self, done: Done[Case], choice: Choice, by: str, at: datetime | None, seen: str | None
    ) -> Decision:
        assert at is not None
        before = done.decided(ASK)
        request = done.waiting[0] if done.waiting else before.request if before else None
        offered = {proposal.action: proposal for proposal in _offered(done)}
        can = [action for action, proposal in offered.items() if calls_of(proposal, "")]
        if request is None or choice not in ("leave", *can):
            known = ", ".join(can) or "nothing"
            raise DecisionRefusedError(
                f"{by} chose {choice!r}, and what was proposed is {known}. Read the report again."
            )
        tools = {call.tool for call in calls_of(offered[choice], "")} if choice != "leave" else set()
        return Decision(
            request=request.key,
            proposal=request.proposal if seen is None else seen,
            verdict="reject" if choice == "leave" else "approve",
            by=by,
            at=at,
            edits=None if choice == "leave" else tuple(c for c in request.calls if c.tool in tools),
        )


def title(case: Case) -> str:
    return WORDS[case.language]["title"].format(task=case.failure.task)


def _offered(done: Done[Case]) -> Sequence[Proposal]:
    return proposals(done) if done.get(REPORT) else ()


def _report(done: Done[Case], run: Run, question: str, trace_id: str) -> Report:
    """The report as far as the run has come."""
    case, words = done.task, WORDS[done.task.language]
    plan, asked, told, mended = done[PLAN], done.get(EVIDENCE), done.get(REPORT), done.get(MEND)
    parts = [one for one in (plan, asked, told, mended) if one is not None]
    failing = asked.work.failing if asked else None
    statements = list(told.work.statements) if told else []
    named = [statement for statement in statements if statement.fault not in (None, "unknown")]
    whole = asked is not None and asked.passed
    healthy = whole and not (told and told.work.findings) and failing is not None and not failing
    status: Literal["explained", "not_known", "healthy"] = (
        "explained" if named else "healthy" if healthy else "not_known"
    )
    lines = [words["failed"].format(check=c.name, observed=c.observed) for c in case.failure.checks]
    lines = lines or [case.failure.message]
    opening = {"explained": "", "healthy": words["nothing"], "not_known": words["unexplained"]}[status]
    text = "\n".join(f"- {line}" for line in lines if line)
    body = "\n".join(f"- {statement.text}" for statement in statements)
    evidence = [
        *((plan.work.sized.measured,) if plan.work.sized else ()),
        *(asked.work.measured if asked else ()),
    ]
    return Report(
        run_id=run.run_id,
        trace_id=trace_id,
        question=question,
        language=case.language,
        status=status,
        text="\n\n".join(part for part in (text, opening, body) if part),
        failure=case.failure,
        tables=list(plan.work.tables),
        findings=list(told.work.findings) if told else [],
        statements=statements,
        dropped=list(told.work.dropped) if told else [],
        proposals=list(proposals(done)) if told else [],
        evidence=[one.evidence for one in evidence],
        decided=_decided(done),
        fallback="; ".join(f"{one.stage}: {one.fallback}" for one in parts if one.fallback),
        reasons=[f"{one.stage}: {reason}" for one in parts for reason in one.reasons],
        waiting=done.waiting[0].proposal if done.waiting else "",
        asked_at=case.asked_at,
    )


def _decided(done: Done[Case]) -> Decided | None:
    decided = done.decided(ASK)
    if decided is None:
        return None
    mended = done.get(MEND)
    acts = {"reload_days": "reload", "quarantine_rows": "quarantine"}
    action = acts[decided.calls[0].tool] if decided.calls else "leave"
    if mended is None:
        return Decided(action=action, by=decided.decision.by, at=decided.decision.at)
    work = mended.work
    failing = work.failing
    return Decided(
        action=action,
        by=decided.decision.by,
        at=decided.decision.at,
        done=list(work.done),
        void=list((work.void or {}).values()),
        not_made=[work.refusal(call.tool, call.arguments) or call.tool for call in work.left],
        unchecked=work.unchecked,
        holds=None if failing is None else not failing,
        still_failing=still(failing or ()),
    )
