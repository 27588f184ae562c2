"""The analyst as one graph of stages: rows for the question, then a chart and a text of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agents.analyst import chart_stage, document_stage, sql_stage
from agents.analyst.chart_stage import ChartWork
from agents.analyst.document_stage import DocumentWork
from agents.analyst.saying import prose
from agents.analyst.saying.coverage import halves
from agents.analyst.saying.notes import left_out
from agents.analyst.saying.table import Table
from agents.analyst.sql_tools import Sources
from agents.analyst.sql_work import Asked, SqlWork
from agents.runtime.agent import Agent, Branch, Done, StageNode, sequence
from agents.runtime.stage import Stage


def _sql(done: Done[Any]) -> Stage[SqlWork]:
    asked, sources = _of(done)
    return sql_stage.stage(asked, sources.warehouse.dialect.name)


def _chart(done: Done[Any]) -> Stage[ChartWork]:
    asked, _ = _of(done)
    table = result(done)
    notes = [*halves(table, done[SQL].work.coverage, asked.language), *left_out(table, asked.language)]
    return chart_stage.stage(asked.question, table, notes)


def _document(done: Done[Any]) -> Stage[DocumentWork]:
    _, sources = _of(done)
    work = done[SQL].work
    return document_stage.stage(work, result(done), work.notes(sources.names))


def _of(done: Done[Any]) -> tuple[Asked, Sources]:
    return done.task, done.deps


def result(done: Done[Any]) -> Table:
    """The rows that were found, with their meaning."""
    _, sources = _of(done)
    found = done[SQL].work
    table = found.table(sources.names)
    # What there is no data of is no 0, in the chart and in the file as in the text.
    return replace(table, rows=()) if prose.missing(table, found.coverage) else table


SQL = StageNode("sql", SqlWork, _sql)
CHART = StageNode("chart", ChartWork, _chart)
DOCUMENT = StageNode("document", DocumentWork, _document)


def _answerable(done: Done[Any]) -> str | None:
    work = done[SQL].work
    return "rows" if done[SQL].passed and not work.declined and not work.unclear else None


ANALYST = Agent(
    "analyst",
    Asked,
    sequence(SQL, Branch("answerable", _answerable, {"rows": sequence(CHART, DOCUMENT)})),
)
