"""Stage one: from a question to rows, by the semantic layer, the guard, a dry run and the reader's query."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from agents.analyst.linker import Declined, Linker, Plan
from agents.analyst.sql_tools import NAMES
from agents.analyst.sql_work import CompileMetrics, SqlWork
from agents.runtime.rules import Move
from agents.runtime.scoring import Score, weighted
from agents.runtime.stage import Stage

_PROMPT = """You answer questions from a data warehouse. Work only through the tools.
1. search_semantic_layer finds metrics and dimensions. Prefer compile_metrics: it writes correct SQL for a
   metric query. Look up the exact value of a filter with lookup_values before using it.
2. Only when no metric fits, search_catalogue and write one read-only SELECT over the tables it shows, in
   {dialect} SQL with database-qualified names.
3. dry_run the SQL, then execute_sql. When a tool reports an error, put the SQL right and try again.
4. When the data cannot answer the question, call decline with the reason in the question's language; never
   answer a different question and never invent a table, a column or a figure.
Earlier questions of the conversation may stand before this one: what it leaves out is as in them. Their
figures are of that moment: query again.
Now is {now} UTC. Time ranges are half-open and in UTC; "last quarter" is the calendar quarter before this."""


def score(work: SqlWork) -> Score:
    """How far the SQL has come: written, guarded, dry run, run, and whether what came back makes sense."""
    if work.declined:
        return Score(0.0, (work.declined.reason,), final=True)
    checked, found = work.checked, work.found
    names = [name for name, _ in found.columns] if found else []
    dry = [name for name, _ in checked.columns] if checked else []
    return weighted(
        (
            (0.10, bool(work.sql), "no SQL was written"),
            (0.20, bool(checked or found), "the SQL has not passed the guard"),
            (0.15, bool(dry), "the SQL has not passed a dry run"),
            (0.35, bool(found), "the SQL has not run"),
            (0.05, bool(found) and len(set(names)) == len(names), "the result's columns are not distinct"),
            (
                0.05,
                bool(found) and (not dry or dry == names),
                "the result's columns are not those of the dry run",
            ),
            (
                0.10,
                any(value is not None for row in (found.rows if found else ()) for value in row),
                "the result is empty",
            ),
        )
    )


@dataclass(frozen=True)
class Rules:
    """The rules' moves: search, link, look values up, compile, dry run, execute."""

    linker: Linker

    def move(self, work: SqlWork) -> Move:
        """Whatever a model did before, the rules run their own query or decline: they can judge no other."""
        if not work.searched:
            return Move(
                "Look for the question's words in the semantic layer.",
                (("search_semantic_layer", {"text": work.question}),),
            )
        plan = self.linker.link(work.question, work.now, work.language, work.domain)
        if isinstance(plan, Declined):
            nearest = [asdict(item) for item in plan.nearest]
            return Move(plan.reason, (("decline", {"reason": plan.reason, "nearest": nearest}),))
        compiling = _compile_move(plan)
        if work.compiled != CompileMetrics.model_validate(compiling.calls[-1][1]):
            return _unless_refused(work, compiling)
        if work.checked is None:
            return _unless_refused(
                work, Move("Check the SQL without running it.", (("dry_run", {"sql": work.sql}),))
            )
        return _unless_refused(
            work, Move("The dry run passed: run it.", (("execute_sql", {"sql": work.sql}),))
        )


def _unless_refused(work: SqlWork, move: Move) -> Move:
    """The rules cannot write other SQL than the semantic layer's, so an error in it ends the stage."""
    error = work.refusal(*move.calls[-1])
    return Move(error, (("decline", {"reason": error, "failed": True}),)) if error else move


def _compile_move(plan: Plan) -> Move:
    query = plan.query
    arguments = {
        "metrics": list(query.metrics),
        "group_by": list(query.group_by),
        "filters": [{"dimension": f.dimension, "op": f.op, "values": list(f.values)} for f in query.filters],
        "time_range": [moment.isoformat() for moment in query.time_range] if query.time_range else None,
        "previous_range": [moment.isoformat() for moment in plan.previous] if plan.previous else None,
        "shape": asdict(plan.shape),
        "order_by": [{"name": name, "direction": direction} for name, direction in query.order_by],
        "limit": query.limit,
        "assumptions": list(plan.assumptions),
    }
    lookups: tuple[tuple[str, Mapping[str, Any]], ...] = tuple(
        ("lookup_values", {"dimension": f.dimension, "text": str(value)})
        for f in query.filters
        for value in f.values
    )
    thought = f"The question asks for {', '.join(query.metrics)}" + (
        f" by {', '.join(query.group_by)}" if query.group_by else ""
    )
    return Move(f"{thought}.", (*lookups, ("compile_metrics", arguments)))


def stage(
    question: str, linker: Linker, now: datetime, language: str, domain: str, dialect: str
) -> Stage[SqlWork]:
    """The SQL stage for one question."""
    goal = json.dumps({"question": question, "language": language, "domain": domain}, ensure_ascii=False)
    return Stage(
        name="sql",
        goal=goal,
        work=SqlWork(question=question, language=language, domain=domain, now=now),
        tools=NAMES,
        system_prompt=_PROMPT.format(dialect=dialect, now=f"{now:%Y-%m-%d %H:%M}"),
        threshold=0.85,
        max_iterations=8,
        scorer=score,
        policy=Rules(linker).move,
        history=1_500,
    )
