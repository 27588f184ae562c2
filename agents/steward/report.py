"""The report folder of one failure: JSON, Markdown and a page with the queries and rows that it rests on."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from markupsafe import Markup
from pydantic import BaseModel, ConfigDict

from agents.pages import document, markdown, published, templates
from agents.steward.case import Evidence, Failure, Finding, Proposal
from agents.steward.wording import WORDS, Language, Statement

_ROWS_SHOWN = 40


class Decided(BaseModel):
    """What a person decided, what was then done, and what the check said afterwards, where there was one.
    `void` says what was not done as it was about nothing any more, `not_made` what could not be done,
    `unchecked` why the check could not be made.
    """

    action: str
    by: str = ""
    at: datetime | None = None
    done: list[str] = []
    void: list[str] = []
    not_made: list[str] = []
    unchecked: str = ""
    holds: bool | None = None
    still_failing: list[str] = []


class Report(BaseModel):
    """What is known of one failure. `dropped` are statements that their evidence did not carry, with
    why; `earlier` is when the same was found before and what became of it; `waiting` names the proposal that
    waits for a person.
    """

    model_config = ConfigDict(protected_namespaces=())

    run_id: str
    trace_id: str = ""
    question: str
    language: Language
    status: Literal["explained", "not_known", "healthy"]
    text: str
    failure: Failure
    tables: list[str] = []
    findings: list[Finding] = []
    statements: list[Statement] = []
    dropped: list[tuple[str, str]] = []
    proposals: list[Proposal] = []
    evidence: list[Evidence] = []
    earlier: list[str] = []
    waiting: str = ""
    decided: Decided | None = None
    model: str = ""
    fallback: str = ""
    reasons: list[str] = []
    report_path: str = ""
    asked_at: datetime


def write(report: Report, reports: Path) -> Path:
    """Write `reports/<run id>/` and return it. Raises PermanentError when that cannot be."""
    folder = reports / report.run_id
    report.report_path = str(folder)
    cited = {cite.evidence for statement in report.statements for cite in statement.cites}
    section = templates(Path(__file__).parent).get_template("report.html.j2").render(
        report=report, body=markdown.to_html(said(report)), words=WORDS[report.language], cited=cited,
        shown=_ROWS_SHOWN, cell=_cell,
    )  # fmt: skip
    page = document(report.question, report.language, [("", [Markup(section)])])
    with published(folder) as draft:
        (draft / "index.html").write_text(page, encoding="utf-8")
        (draft / "report.md").write_text(f"# {report.question}\n\n{said(report)}\n", encoding="utf-8")
        (draft / "answer.json").write_text(report.model_dump_json(indent=2), encoding="utf-8")
    return folder


def said(report: Report) -> str:
    """The report's text with what was proposed and decided, as Markdown."""
    words = WORDS[report.language]
    parts = [report.text]
    if report.earlier:
        parts.append(f"**{words['earlier']}**")
        parts.append("\n".join(f"- {line}" for line in report.earlier))
    if report.proposals:
        parts.append(f"**{words['proposed']}**")
        parts.append("\n".join(f"- {proposal.text}" for proposal in report.proposals))
        parts += [f"```diff\n{proposal.diff}```" for proposal in report.proposals if proposal.diff]
    if report.decided:
        decided = report.decided
        who = decided.by or words["somebody"]
        parts.append(
            f"**{words['decided']}** {words[decided.action]} ({who}, {decided.at:%Y-%m-%d %H:%M} UTC)."
        )
        lines = [*decided.done, *decided.void]
        lines += [words["not_made"].format(why=why) for why in decided.not_made]
        if decided.unchecked:
            lines.append(words["unchecked"].format(why=decided.unchecked))
        if lines:
            parts.append("\n".join(f"- {line}" for line in lines))
        if decided.holds is not None:
            parts.append(words["holds" if decided.holds else "fails"])
    return "\n\n".join(parts)


def _cell(value: Any) -> str:
    return f"{value:,.6g}" if isinstance(value, float) else str(value)
