"""Whether what was approved is still so: a person answers days later, and the day may have come anew."""

from __future__ import annotations

from collections.abc import Iterable

from agents.runtime.approval import ProposedCall
from agents.steward.case import Finding, Step
from agents.steward.diagnosis import diagnose
from agents.steward.evidence import Asking
from agents.steward.proposing import said_days, touched
from agents.steward.repair import Means
from agents.steward.wording import FAULTS, WORDS
from agents.steward.works import MendWork


def void_calls(work: MendWork, means: Means) -> dict[str, str]:
    """Why calls are not to be made, by their keys: nothing that they are about is found any more, or more
    rows are than those that a person was told of. Where one fault of several is left, the call is made.
    """
    now = _findings(work, means)
    void = {}
    for call in work.calls:
        about = [finding for finding in work.findings if _concerns(call, finding)]
        left = [(then, found) for then in about if (found := _again(then, now))]
        if not left:
            void[call.key] = _told("gone", about, work)
        elif call.tool == "quarantine_rows" and any(found.rows > then.rows for then, found in left):
            void[call.key] = _told("grown", [found for _, found in left], work)
    return void


def _findings(work: MendWork, means: Means) -> tuple[Finding, ...]:
    """What the same questions show now of the tables that showed something, over the same days."""
    shown = {sign.table for finding in work.findings for sign in finding.signs}
    asking = Asking(means.reader, means.lineage.sources)
    extent, volumes = asking.volumes(work.upto, work.tables)
    measured = [volumes]
    for question, table in asking.questions(extent):
        if table in shown:
            measured += asking.answer(question, table, extent)
    for number, check in enumerate(work.failure.checks):
        measured += asking.failing(check, number)
    return diagnose(sign for one in measured for sign in one.signs)


def _concerns(call: ProposedCall, finding: Finding) -> bool:
    if call.tool == "quarantine_rows":
        step = Step.model_validate(call.arguments["step"])
        return (finding.table, finding.days) == (step.table, step.days)
    days = set(call.arguments["days"])
    return not finding.days or any(str(day) in days for day in touched(finding))


def _again(then: Finding, now: Iterable[Finding]) -> Finding | None:
    for found in now:
        same = (found.fault, found.table) == (then.fault, then.table)
        if same and (set(found.days) & set(then.days) or found.days == then.days):
            return found
    return None


def _told(why: str, findings: Iterable[Finding], work: MendWork) -> str:
    words = WORDS[work.language]
    about = [
        words["about_fault"].format(
            fault=FAULTS[work.language][one.fault], table=one.table, rows=one.rows,
            days=words["on"].format(days=said_days(one.days)) if one.days else "",
        )
        for one in findings
    ]  # fmt: skip
    return words[why].format(faults="; ".join(about))
