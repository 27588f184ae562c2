"""A report of several questions: their answers as chapters of one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agents.analyst import charts, rendering, report
from agents.analyst.analyst import Analyst
from agents.analyst.answer import Answer
from agents.analyst.questions import QuestionList
from agents.analyst.saying.table import Table
from agents.pages import document, published
from agents.runtime.steps import file_name


def list_report(
    analyst: Analyst, listed: QuestionList, *, run_id: str, reports: Path
) -> tuple[Path, list[Answer]]:
    """Ask a list and write `reports/<run id>/index.html`; each answer keeps a folder of its own."""
    answers = analyst.answer_list([q for s in listed.sections for q in s.questions], run_id=run_id)
    rest = iter(answers)
    chapters = [(section.title, [next(rest) for _ in section.questions]) for section in listed.sections]
    return overview(listed.title, chapters, run_id=run_id, reports=reports), answers


def overview(
    title: str, chapters: Sequence[tuple[str, Sequence[Answer]]], *, run_id: str, reports: Path
) -> Path:
    """Write one page over answers, as chapters (title, answers), and return its path."""
    folder = reports / file_name(run_id)
    page = document(
        title,
        "en",
        [(name, [report.section(a, _table(a), _svg(a)) for a in answers]) for name, answers in chapters],
    )
    with published(folder) as draft:
        (draft / "index.html").write_text(page, encoding="utf-8")
    return folder / "index.html"


def _table(answer: Answer) -> Table:
    return Table(tuple(c.meaning for c in answer.columns), tuple(tuple(row) for row in answer.rows))


def _svg(answer: Answer) -> str:
    if answer.chart is None:
        return ""
    return rendering.svg({**answer.chart, "config": {**answer.chart.get("config", {}), "font": charts.FONT}})
