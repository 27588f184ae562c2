"""The analyst as one graph of stages: rows for the question, then a chart and a text of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict

from agents.analyst import chart_stage, document_stage, prose, sql_stage
from agents.analyst.chart_stage import ChartWork
from agents.analyst.coverage import halves
from agents.analyst.document_stage import DocumentWork
from agents.analyst.linker.wording import say
from agents.analyst.sql_tools import Sources
from agents.analyst.sql_work import SqlWork
from agents.analyst.table import Table
from agents.runtime.agent import Agent, Branch, Done, StageNode, sequence
from agents.runtime.stage import Stage


class Asked(BaseModel):
    """A question, the language and domain that it is answered in, and the moment that it is asked at."""

    model_config = ConfigDict(frozen=True)

    question: str
    language: str
    domain: str
    now: AwareDatetime


def _sql(done: Done[Any]) -> Stage[SqlWork]:
    asked, sources = _of(done)
    return sql_stage.stage(
        asked.question,
        sources.linker,
        asked.now,
        asked.language,
        asked.domain,
        sources.warehouse.dialect.name,
    )


def _chart(done: Done[Any]) -> Stage[ChartWork]:
    asked, _ = _of(done)
    table, coverage = result(done), done[SQL].work.coverage
    notes = halves(table, coverage, asked.language)
    if table.extent in ("top", "cut"):
        notes.append(say("more", asked.language, str(len(table.rows))))
    return chart_stage.stage(asked.question, table, coverage.previous is not None, notes)


def _document(done: Done[Any]) -> Stage[DocumentWork]:
    asked, _ = _of(done)
    return document_stage.stage(asked.question, result(done), asked.language, done[SQL].work)


def _of(done: Done[Any]) -> tuple[Asked, Sources]:
    return done.task, done.deps


def result(done: Done[Any]) -> Table:
    """The rows that were found, with their meaning."""
    asked, sources = _of(done)
    found = done[SQL].work
    table = found.table(sources.semantic, asked.language)
    # What there is no data of is no 0, in the chart and in the file as in the text.
    return replace(table, rows=()) if prose.missing(table, found.coverage) else table


SQL = StageNode("sql", SqlWork, _sql)
CHART = StageNode("chart", ChartWork, _chart)
DOCUMENT = StageNode("document", DocumentWork, _document)


def _answerable(done: Done[Any]) -> str | None:
    return "rows" if done[SQL].passed and not done[SQL].work.declined else None


ANALYST = Agent(
    "analyst",
    Asked,
    sequence(SQL, Branch("answerable", _answerable, {"rows": sequence(CHART, DOCUMENT)})),
)
