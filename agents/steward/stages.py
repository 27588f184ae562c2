"""The steward as a graph: plan → evidence side by side → report → a person's approval → the act, checked.

Every stage has rules, so that no language model is needed; with one, it makes the same moves with the same
tools, and what it says is held against the same evidence.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from agents.runtime.agent import Agent, Approval, Branch, Done, StageNode, sequence
from agents.runtime.approval import Proposal as Proposed
from agents.runtime.approval import ProposedCall
from agents.runtime.rules import Move
from agents.runtime.scoring import Score, weighted
from agents.runtime.stage import Stage
from agents.runtime.work import call_key
from agents.steward.case import FailedCheck, Finding, Proposal
from agents.steward.diagnosis import diagnose
from agents.steward.evidence import Asking
from agents.steward.proposing import propose
from agents.steward.repair import Means
from agents.steward.tools import ACTING, EXAMINING, PLANNING, TELLING
from agents.steward.wording import statements
from agents.steward.works import Case, EvidenceWork, MendWork, PlanWork, ReportWork

_AT_ONCE = 12
_PLAN = "You find out why a data check failed. First trace_lineage, then measure_volumes."
_EVIDENCE = """You collect evidence. Ask every question of the goal with ask_about, as many side by side as
you can; read failing_rows of each failed check, and check_again once."""
_REPORT = """You write a short report in {language} with write_report: a statement for each finding that names
its fault as the goal names it, then what was measured. Cite for each statement the rows of evidence that hold
its figures and days; what they do not hold is dropped. Say nothing that was not measured."""
_MEND = """A person approved these calls. First look_again; make each call that is still about something once;
then rebuild_and_check."""


def plan_stage(done: Done[Case]) -> Stage[PlanWork]:
    failure = done.task.failure

    def score(work: PlanWork) -> Score:
        return weighted(
            (
                (0.3, bool(work.tables), "no table was traced"),
                (0.7, work.sized is not None, "the tables' days were not counted"),
            )
        )

    def move(work: PlanWork) -> Move:
        if not work.tables:
            return Move("Which tables does the check rest on?", (("trace_lineage", {}),))
        return Move("What do they hold of which day?", (("measure_volumes", {}),))

    return Stage(
        name="plan", goal=failure.model_dump_json(), work=PlanWork(failure=failure), tools=PLANNING,
        system_prompt=_PLAN, threshold=1.0, max_iterations=4, scorer=score, policy=move,
    )  # fmt: skip


def evidence_stage(done: Done[Case]) -> Stage[EvidenceWork]:
    plan, failure = done[PLAN].work, done.task.failure
    assert plan.sized is not None, "without the tables' sizes the branch ends the run"
    means: Means = done.deps
    asking = Asking(means.reader, {name: means.lineage.sources[name] for name in plan.tables})
    questions = tuple(asking.questions(plan.sized.extent))
    calls: list[tuple[str, dict[str, Any]]] = [
        *(("failing_rows", {"check": n}) for n, check in enumerate(failure.checks) if check.rows_sql),
        *((("check_again", {}),) if failure.recheck else ()),
        *(("ask_about", {"question": question, "table": table}) for question, table in questions),
    ]

    def left(work: EvidenceWork) -> list[tuple[str, dict[str, Any]]]:
        return [
            call for call in calls if call_key(*call) not in work.asked and not work.refusal(*call)
        ]  # fmt: skip

    def score(work: EvidenceWork) -> Score:
        missing = [call for call in calls if call_key(*call) not in work.asked]
        reasons = [
            f"{name} {' '.join(map(str, args.values()))}: {work.refusal(name, args) or 'not asked'}"
            for name, args in missing
        ]
        value = 1 - len(missing) / max(1, len(calls))
        return Score(round(value, 4), tuple(reasons), final=not left(work))

    def move(work: EvidenceWork) -> Move:
        return Move("What is different about which day?", tuple(left(work)[:_AT_ONCE]))

    goal = {
        "questions": questions,
        "checks": [f"{number}: {check.name}" for number, check in enumerate(failure.checks)],
    }
    return Stage(
        name="evidence", goal=json.dumps(goal), tools=EXAMINING, system_prompt=_EVIDENCE, threshold=1.0,
        work=EvidenceWork(failure=failure, extent=plan.sized.extent, questions=questions),
        max_iterations=4 + len(calls) // _AT_ONCE, scorer=score, policy=move,
        identity=f"{failure.model_dump_json()} {plan.sized.extent.model_dump_json()}",
    )  # fmt: skip


def findings(done: Done[Case]) -> tuple[Finding, ...]:
    """What the signs of all the evidence show."""
    plan, evidence = done[PLAN].work, done.get(EVIDENCE)
    signs = list(plan.sized.measured.signs) if plan.sized else []
    signs += [sign for one in evidence.work.measured for sign in one.signs] if evidence else []
    return diagnose(signs)


def report_stage(done: Done[Case]) -> Stage[ReportWork]:
    found = findings(done)
    plan, asked = done[PLAN].work, done[EVIDENCE].work
    evidence = [*((plan.sized.measured,) if plan.sized else ()), *asked.measured]
    work = ReportWork(
        language=done.task.language,
        findings=found,
        evidence={one.evidence.id: one.evidence for one in evidence},
    )

    def score(work: ReportWork) -> Score:
        named = {statement.fault for statement in work.statements}
        missing = sorted({finding.fault for finding in work.findings} - named)
        return weighted(
            (
                (0.4, work.told, "no report was written"),
                (
                    0.6,
                    work.told and not missing,
                    f"not told, or not carried: {', '.join(missing)}",
                ),
            )
        )

    def move(work: ReportWork) -> Move:
        told = [
            {
                "text": said.text,
                "finding": number if said.fault else None,
                "cites": [c.model_dump() for c in said.cites],
            }
            for number, finding in enumerate(work.findings)
            for said in statements(finding, work.language)
        ]
        return Move("Say what the signs show.", (("write_report", {"statements": told}),))

    goal = {
        "failed": done.task.failure.model_dump(mode="json"),
        "findings": [f.model_dump(mode="json") for f in found],
        "evidence": {
            id_: {"columns": one.columns, "rows": one.rows[:40]}
            for id_, one in work.evidence.items()
            if any(cite.evidence == id_ for f in found for s in f.signs for cite in s.cites)
        },
    }
    language = {"en": "English", "zh": "Chinese"}[work.language]
    return Stage(
        name="report", goal=json.dumps(goal, ensure_ascii=False, default=str), work=work, tools=TELLING,
        system_prompt=_REPORT.format(language=language), threshold=0.99, max_iterations=3, scorer=score,
        policy=move, step="respond",
    )  # fmt: skip


def proposals(done: Done[Case]) -> tuple[Proposal, ...]:
    """What may be done about the faults that the report names."""
    plan, told = done[PLAN].work, done[REPORT].work
    named = {statement.fault for statement in told.statements}
    means: Means = done.deps
    return propose(
        [finding for finding in told.findings if finding.fault in named],
        done.task.failure.checks,
        means.lineage.sources,
        plan.sized.held if plan.sized else None,
        done.task.language,
    )


def calls_of(proposal: Proposal, reason: str) -> tuple[ProposedCall, ...]:
    """The acts of a proposal as tool calls; to widen a bound is none, for code is changed by people."""
    if proposal.action == "reload":
        days = [str(day) for step in proposal.steps for day in step.days]
        return (ProposedCall(tool="reload_days", arguments={"days": days}),)
    if proposal.action == "quarantine":
        return tuple(
            ProposedCall(
                tool="quarantine_rows", arguments={"step": step.model_dump(mode="json"), "reason": reason}
            )
            for step in proposal.steps
        )
    return ()


def ask(done: Done[Case]) -> Proposed:
    """All that is proposed; a decision may leave calls out."""
    told, offered = done[REPORT].work, proposals(done)
    reason = " ".join(s.text for s in told.statements if s.fault)[:400]
    return Proposed(
        what="\n".join(proposal.text for proposal in offered),
        calls=tuple(call for proposal in offered for call in calls_of(proposal, reason)),
        evidence=tuple(sorted({cite.evidence for s in told.statements for cite in s.cites})),
    )


def mend_stage(done: Done[Case]) -> Stage[MendWork]:
    decided, plan = done.decided(ASK), done[PLAN].work
    calls = decided.calls if decided else ()
    failure = done.task.failure
    assert plan.sized is not None, "nothing is proposed of tables whose days were not counted"

    def score(work: MendWork) -> Score:
        checked = not failure.recheck or work.failing is not None or bool(work.unchecked)
        refused = [call for call in work.left if work.refusal(call.tool, call.arguments)]
        reasons = [
            f"{call.tool}: {work.refusal(call.tool, call.arguments) or 'not made'}" for call in work.left
        ]
        reasons += [] if checked else ["the check was not made again"]
        reasons += [f"the check could not be made again, because {work.unchecked}"] if work.unchecked else []
        value = (len(calls) - len(work.left) + checked) / (len(calls) + 1)
        # Acts that cannot be done leave the check to be made, and nothing else.
        ended = checked and work.void is not None and len(refused) == len(work.left)
        return Score(round(value, 4), tuple(reasons), final=ended)

    def move(work: MendWork) -> Move:
        if work.void is None:
            return Move("Is it still so?", (("look_again", {}),))
        for call in work.left:
            if not work.refusal(call.tool, call.arguments):
                return Move("It was approved.", ((call.tool, call.arguments),))
        return Move("Does the check hold now?", (("rebuild_and_check", {}),))

    work = MendWork(
        failure=failure, language=done.task.language, calls=calls, findings=done[REPORT].work.findings,
        tables=plan.tables, upto=plan.sized.extent.last,
    )  # fmt: skip
    return Stage(
        name="mend", goal=json.dumps([call.model_dump(mode="json") for call in calls]), work=work,
        tools=ACTING, system_prompt=_MEND, threshold=1.0, max_iterations=len(calls) + 4, scorer=score,
        policy=move,
    )  # fmt: skip


def still(checks: Iterable[FailedCheck]) -> list[str]:
    return [f"{check.name}: {check.observed}" for check in checks]


PLAN = StageNode("plan", PlanWork, plan_stage)
EVIDENCE = StageNode("evidence", EvidenceWork, evidence_stage)
REPORT = StageNode("report", ReportWork, report_stage)
MEND = StageNode("mend", MendWork, mend_stage)
ASK = Approval("approval", ask, then=MEND)
STEWARD = Agent(
    "steward",
    Case,
    sequence(
        PLAN,
        Branch(
            "planned",
            lambda done: "examine" if done[PLAN].work.sized else None,
            {
                "examine": sequence(
                    EVIDENCE,
                    REPORT,
                    Branch("proposed", lambda done: "ask" if ask(done).calls else None, {"ask": ASK}),
                )
            },
        ),
    ),
)
