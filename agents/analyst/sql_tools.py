"""The SQL stage's tools: read the question, search, look up, compile, dry run, execute, ask back, decline."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

from langchain_core.tools import InjectedToolArg, tool
from pydantic import Field

from agents.analyst.answer import Meaning
from agents.analyst.answering import Answering, how_sure
from agents.analyst.grammar.naming import metrics_in
from agents.analyst.grammar.reader import NotUnderstood, Reading, Understood, Unsure
from agents.analyst.intent import Intent
from agents.analyst.saying import refused
from agents.analyst.saying.notes import Spelt, whole_before
from agents.analyst.saying.table import Cell, ColumnMeaning, Table, meanings, plain, show
from agents.analyst.sql.compile import unnamed
from agents.analyst.sql_work import (
    Asked,
    AskedBack,
    Compiled,
    Decline,
    DryRun,
    Found,
    FoundMetric,
    Preview,
    Read,
    Rows,
    SqlWork,
)
from agents.analyst.traced import untraced
from agents.analyst.validating import refusals, values_like
from agents.analyst.vocabulary import Vocabulary
from agents.runtime import errors
from agents.runtime.tools import REGISTRY, ToolContext
from warehouse import Catalogue, Limits, PermanentError, Warehouse
from warehouse.dialect import Dialect
from warehouse.guard import guard
from warehouse.semantic import SemanticLayer

NAMES = (
    "read_question",
    "search_semantic_layer",
    "search_catalogue",
    "lookup_values",
    "compile_intent",
    "dry_run",
    "execute_sql",
    "ask_back",
    "decline",
)
_METRICS = 8
# Of several meanings so many are shown.
READINGS = 5
_SPELLING = "spelling:"


@dataclass(frozen=True)
class Sources:
    """What the tools ask: one warehouse, what is in it and what that means. A query returns `max_rows`."""

    warehouse: Warehouse
    semantic: SemanticLayer
    catalogue: Catalogue
    max_rows: int

    @cached_property
    def answering(self) -> Answering:
        found = Answering(Vocabulary.load(self.semantic, self.warehouse), self.warehouse)
        # What is there for good is not looked through for garbage in the midst of a question.
        gc.collect()
        gc.freeze()
        return found

    @property
    def names(self) -> Vocabulary:
        return self.answering.vocabulary


Context = Annotated[ToolContext[SqlWork, Sources], InjectedToolArg]


@REGISTRY.register(effects={"reads"}, retries=1)
@tool
def read_question(context: Context) -> Read:
    """Read the question by the grammar: what it means, what it may mean, or why it is not understood."""
    return _read(context.work.asked, context.deps.answering)


def _read(asked: Asked, answering: Answering) -> Read:
    found = answering.understood(asked.question, asked.calendar, asked.previous, asked.domain)
    if isinstance(found, NotUnderstood):
        return _refused(found, asked, answering)
    if isinstance(found, Unsure):
        several = (_meaning(one, asked, answering, None) for one in found.readings)
        # Two that are said alike cannot be told apart.
        readings = tuple({one.sentence: one for one in several if one.sentence}.values())[:READINGS]
    else:
        meaning = _meaning(found.reading, asked, answering, how_sure(found))
        readings = (meaning,) if meaning.sentence else ()
    if not readings:
        return _refused(NotUnderstood("not_put_together"), asked, answering)
    if not 0 <= asked.reading <= len(readings):
        reason = NotUnderstood("no_such_reading", (f"{len(readings)}",))
        return Read(refused=refused(reason, answering.vocabulary, asked.language))
    if asked.reading:
        chosen = readings[asked.reading - 1].model_copy(update={"proven": True})
        return Read(readings=(chosen,), certain=True)
    return Read(readings=readings, certain=isinstance(found, Understood) and readings[0].proven)


@REGISTRY.register(effects={"reads"})
@tool
def search_semantic_layer(
    text: Annotated[str, Field(description="what to look for, in the question's words")], context: Context
) -> Found:
    """Find metrics and their dimensions."""
    semantic = context.deps.semantic
    metrics = [semantic.metrics[name] for name in context.deps.answering.metrics_near(text)[:_METRICS]]
    dimensions = dict.fromkeys(name for metric in metrics for name in metric.dimensions)
    return Found(
        metrics=tuple(
            FoundMetric(
                name=metric.name,
                label=f"{metric.label} / {metric.label_zh}",
                description=metric.description,
                unit=metric.unit,
                finest_grain=metric.min_grain,
                dimensions=metric.dimensions,
            )
            for metric in metrics
        ),
        dimensions={name: semantic.dimensions[name].description for name in dimensions},
    )


@REGISTRY.register(effects={"reads"})
@tool
def search_catalogue(
    text: Annotated[str, Field(description="what to look for, in the question's words")], context: Context
) -> str:
    """Find tables and their columns."""
    catalogue = context.deps.catalogue
    return catalogue.as_prompt(catalogue.search(text)) or "no table matches"


@REGISTRY.register(effects={"reads"}, retries=1)
@tool
def lookup_values(
    dimension: Annotated[
        str, Field(description="a categorical dimension's full name, such as user__country")
    ],
    context: Context,
    text: Annotated[str, Field(description="part of the value; empty lists the most frequent ones")] = "",
) -> dict[str, list[str]]:
    """Find the exact values of a dimension."""
    sources = context.deps
    return {"values": _call(lambda: values_like(dimension, text, sources.semantic, sources.warehouse))}


@REGISTRY.register(effects={"reads"}, retries=1)
@tool
def compile_intent(
    intent: Annotated[Intent, Field(description="the whole of what the question asks for")], context: Context
) -> Compiled:
    """Write SQL for an intent: the question's meaning in the semantic layer's names. Periods are half-open
    [start, end), ISO 8601, UTC.
    """
    asked, sources = context.work.asked, context.deps
    answering = sources.answering
    if reason := next(refusals(intent, answering.vocabulary, sources.warehouse), ""):
        raise errors.ToolError(reason)
    if no_data := _call(lambda: answering.without_data(intent)):
        raise errors.ToolError(refused(no_data, answering.vocabulary, asked.language))
    statement = _call(lambda: answering.compiled(intent, asked.calendar))
    read = context.work.read or _read(asked, answering)
    if known := next((one for one in read.readings if one.intent == intent), None):
        return Compiled(meaning=known, statement=statement)
    said, proven = answering.sentence(intent, asked.language)
    left_out = answering.left_out(asked.question, intent, asked.calendar)
    if read.certain:
        left_out.append(f"what read_question is certain of: {read.readings[0].sentence}")
    added = answering.added(asked.question, intent, asked.previous, asked.calendar)
    meaning = Meaning(intent=intent, sentence=said, proven=proven and not left_out and not added)
    return Compiled(meaning=meaning, statement=statement, left_out=tuple(left_out), added=tuple(added))


@REGISTRY.register(effects={"reads"}, retries=1)
@tool
def dry_run(sql: str, context: Context) -> DryRun:
    """Check SQL without running it."""
    checked = _checked(sql, context)
    plan = _call(lambda: context.deps.warehouse.dry_run(checked))
    columns = tuple((one.name, one.type) for one in plan.columns)
    return DryRun(
        given=sql,
        sql=checked,
        columns=columns,
        estimated_rows=plan.cost.rows,
        estimated_bytes=plan.cost.bytes,
        estimated_usd=plan.cost.usd,
    )


@REGISTRY.register(effects={"reads"}, retries=1)
@tool
def execute_sql(sql: str, context: Context) -> Rows:
    """Run checked SQL and read its rows."""
    sources = context.deps
    checked = _checked(sql, context)
    result = _call(lambda: sources.warehouse.query(checked, limits=Limits(rows=sources.max_rows)))
    rows = Rows(
        given=sql,
        sql=checked,
        columns=tuple((one.name, one.type) for one in result.columns),
        rows=tuple(tuple(plain(value) for value in row) for row in result.rows),
        capped=len(result.rows) >= _row_limit(checked, sources.warehouse.dialect),
        elapsed=result.elapsed,
        rows_read=result.cost.rows,
    )
    work = context.work.ran(rows)
    if work.meaning:
        rows = rows.model_copy(update=_call(lambda: _beside(work, sources)))
    table = context.work.ran(rows).table(sources.names)
    preview = Preview(
        columns=[name for name, _ in rows.columns],
        row_count=len(table.rows),
        rows=list(table.rows[:50]),
        extent=table.extent,
        empty=table.empty,
        data_range=rows.days,
    )
    return rows.model_copy(update={"preview": preview})


@REGISTRY.register(effects={"reads"})
@tool
def ask_back(
    readings: Annotated[list[int], Field(min_length=1, description="those of read_question, from 1")],
    context: Context,
) -> AskedBack:
    """Let the asker choose: the question may mean any of these readings, and they differ."""
    known = context.work.read.readings if context.work.read else ()
    if unknown := [number for number in readings if not 1 <= number <= len(known)]:
        raise errors.ToolError(f"read_question gave {len(known)} readings; there is no number {unknown[0]}")
    return AskedBack(readings=tuple(known[number - 1] for number in dict.fromkeys(readings)))


@REGISTRY.register(effects={"reads"}, retries=1)
@tool
def decline(
    reason: Annotated[str, Field(min_length=1, max_length=4_000, description="in the question's language")],
    context: Context,
    failed: Annotated[
        bool, Field(description="true when a part broke, false when the data has no answer")
    ] = False,
    suggestions: Annotated[
        Sequence[str], Field(max_length=5, description="questions that read_question understands")
    ] = (),
) -> Decline:
    """Say that the question cannot be answered."""
    work, answering = context.work, context.deps.answering
    asked, read = work.asked, work.read
    known = read.suggestions if read else ()
    told = [asked.question, *work.refused.values(), *known, *([read.refused] if read else [])]
    if figures := untraced(reason, Table((), ()), context=told):
        raise errors.ToolError(f"a reason has no figures of its own: {', '.join(figures)}")
    kept = [one for one in suggestions if one in known or _is_answered(one, asked, answering)]
    if not (kept or failed):
        kept = list(known) or answering.suggested(asked.question, asked.calendar, asked.language)
    return Decline(reason=reason, failed=failed, suggestions=tuple(kept))


def _is_answered(suggestion: str, asked: Asked, answering: Answering) -> bool:
    return isinstance(answering.understood(suggestion, asked.calendar), Understood)


def _refused(reason: NotUnderstood, asked: Asked, answering: Answering) -> Read:
    suggested = answering.suggested(asked.question, asked.calendar, asked.language)
    return Read(refused=refused(reason, answering.vocabulary, asked.language), suggestions=tuple(suggested))


def _meaning(reading: Reading, asked: Asked, answering: Answering, confidence: float | None) -> Meaning:
    spelt = (
        Spelt(*one.removeprefix(_SPELLING).split(">", 1))
        for one in reading.features
        if one.startswith(_SPELLING)
    )
    said, proven = answering.sentence(reading.intent, asked.language)
    return Meaning(
        intent=reading.intent, sentence=said, proven=proven, confidence=confidence, spelt=tuple(spelt)
    )


def _beside(work: SqlWork, sources: Sources) -> dict[str, Any]:
    """What has to be known of the data to say what the rows are."""
    assert work.meaning is not None
    intent, answering, calendar = work.meaning.intent, sources.answering, work.asked.calendar
    metrics = metrics_in(intent.measures)
    found: dict[str, Any] = {
        "days": answering.days.of_any(metrics),
        "undated": answering.days.undated(metrics),
    }
    if (whole := whole_before(intent, calendar)) and not whole.groups and len(whole.measures) == 1:
        [(column, cell)] = _figures(whole, work.asked, sources)
        found["whole"] = show(cell, column)
    if left_out := unnamed(intent):
        figures = [one for one in _figures(left_out, work.asked, sources) if one[1]]
        found["nameless"] = ", ".join(f"{column.label} {show(cell, column)}" for column, cell in figures)
    return found


def _figures(intent: Intent, asked: Asked, sources: Sources) -> list[tuple[ColumnMeaning, Cell]]:
    """The one row of an intent without groups."""
    statement, rows = sources.answering.rows(intent, asked.calendar)
    columns = meanings(statement.columns, sources.names, asked.language)
    return [(column, plain(value)) for row in rows for column, value in zip(columns, row, strict=True)]


def _checked(sql: str, context: ToolContext[SqlWork, Sources]) -> str:
    """What the guard printed: the SQL that is judged is the SQL that is shown and runs."""
    work, sources = context.work, context.deps
    if not work.asked.free_sql and (work.statement is None or sql not in (work.statement.sql, work.sql)):
        raise errors.ToolError(
            "only SQL that compile_intent wrote may run here: compile an intent, or decline "
            "(TIDEMARK_FREE_SQL=true allows other SQL)"
        )
    dialect = sources.warehouse.dialect
    return str(_call(lambda: guard(sql, sources.catalogue, dialect, max_rows=sources.max_rows)))


def _call(ask: Callable[[], Any]) -> Any:
    """Errors that the model can mend become ToolError."""
    try:
        return ask()
    except PermanentError as error:
        raise errors.ToolError(str(error)) from error


def _row_limit(checked: str, dialect: Dialect) -> int:
    """The LIMIT that the guard leaves on every statement."""
    return int(dialect.parse(checked).args["limit"].expression.name)
