"""What was found in a table before, and what a person decided about it: a conversation for each table."""

from __future__ import annotations

from agents.runtime.history import Turn, Turns
from agents.steward.report import Report
from agents.steward.wording import FAULTS, WORDS

_SHOWN = 3


def remember(report: Report, turns: Turns) -> None:
    """Keep the findings and the decision, a turn for each table; the same run's again takes its place."""
    for table in dict.fromkeys(finding.table for finding in report.findings):
        found = [finding for finding in report.findings if finding.table == table]
        turn = Turn(
            run_id=report.run_id,
            asked_at=report.asked_at,
            question=report.question,
            answer="\n".join(FAULTS[report.language][finding.fault] for finding in found),
            figures=tuple(" ".join((finding.fault, *map(str, finding.days))) for finding in found),
            names=(table,),
            decisions=(f"{report.decided.action} by {report.decided.by}",) if report.decided else (),
        )
        turns.add(_session(table), turn)


def earlier(report: Report, turns: Turns) -> list[str]:
    """A line for each of the newest runs before this one that found the same fault in the same table."""
    words = WORDS[report.language]
    lines = []
    for fault, table in dict.fromkeys((finding.fault, finding.table) for finding in report.findings):
        before = [
            (figure.split()[1:], turn)
            for turn in turns.of(_session(table))
            for figure in turn.figures
            if turn.run_id != report.run_id
            and turn.asked_at <= report.asked_at
            and figure.split()[0] == fault
        ]
        for days, turn in before[-_SHOWN:]:
            action, _, by = (turn.decisions or ("",))[0].partition(" by ")
            lines.append(
                words["same"].format(
                    table=table,
                    fault=FAULTS[report.language][fault],
                    days=", ".join(days) or f"{turn.asked_at:%Y-%m-%d}",
                    decided=words[f"was_{action}"].format(by=by or words["somebody"])
                    if action
                    else words["undecided"],
                )
            )
    return lines


def _session(table: str) -> str:
    return f"steward:{table}"
