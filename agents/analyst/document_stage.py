"""Stage three: the answer in words, every number of which is traced to a cell of the result."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from langchain_core.messages import BaseMessage
from pydantic import BaseModel, Field

from agents.analyst import prose
from agents.analyst.linker.text import language as script
from agents.analyst.table import Table
from agents.analyst.traced import Derived, Operation, figures, untraced
from agents.runtime.errors import ToolError
from agents.runtime.rules import Move, last_error, last_result
from agents.runtime.scoring import Score, weighted
from agents.runtime.stage import Stage
from agents.runtime.tools import Tool, ToolResult

_PROMPT = """You write the answer to a question from a query result, in {language}, in a few plain
sentences or a
short list, with write_answer. Every number in the text must be a cell of the result as shown (rounding to the
digits you write, and % k M 万 亿, are fine) or be declared under `derived` with the operation, column and row
numbers (from 0) that give it. Write no number from anywhere else. Repeat the assumptions you were given. When
the result is empty, say so; data_range tells which days there is data for."""
_LANGUAGES = {"en": "English", "zh": "Chinese"}


class DerivedArgument(BaseModel):
    operation: Operation
    column: str = ""
    rows: list[int] = Field(default_factory=list, description="row numbers from 0; empty means all rows")


class WriteAnswer(BaseModel):
    text: str = Field(min_length=1, description="Markdown, in the question's language")
    derived: list[DerivedArgument] = Field(default_factory=list)
    evidence: list[dict[str, Any]] = Field(
        default_factory=list, description="{claim, value, row, column} a figure"
    )


def stage(
    question: str, table: Table, language: str, work: Mapping[str, Any], data_range: Tool, now: datetime
) -> Stage:
    """The document stage; `work` is what the SQL stage left, `data_range` the tool for empty results and
    for periods that are not over.
    """
    assumptions: list[str] = list(work.get("assumptions") or [])
    metrics: list[str] = list(work.get("metrics") or [])
    days: list[str] = []

    def write(arguments: WriteAnswer) -> ToolResult:
        derived = [Derived(item.operation, item.column, tuple(item.rows)) for item in arguments.derived]
        missing = untraced(arguments.text, table, derived, [question, *assumptions, *days])
        if missing:
            raise ToolError(
                "these numbers are in no cell of the result and not declared as derived: "
                + ", ".join(missing)
            )
        return ToolResult(
            {"written": True},
            {
                "text": arguments.text,
                "evidence": arguments.evidence,
                "derived": [item.model_dump() for item in arguments.derived],
            },
        )

    def find_days(arguments: Any) -> ToolResult:
        result = data_range.run(arguments)
        days[:] = list(result.work["data_range"])
        return result

    def score(done: Mapping[str, Any]) -> Score:
        text = str(done.get("text", ""))
        derived = [Derived(d["operation"], d["column"], tuple(d["rows"])) for d in done.get("derived", [])]
        known = [question, *assumptions, *(done.get("data_range") or [])]
        missing = untraced(text, table, derived, known)
        spoken = script(text)
        said = bool(figures(text)) or not table.rows or table.empty
        return weighted(
            (
                (0.2, bool(text.strip()), "no answer was written"),
                (0.2, bool(text) and (spoken == language or not spoken), f"not in {_LANGUAGES[language]}"),
                (0.4, bool(text) and not missing, f"not found in the result: {', '.join(missing)}"),
                (0.2, bool(text) and said, "the answer names no figure of the result"),
            )
        )

    # What is missing, or not over yet, must be told from what is zero.
    until = str((work.get("time_range") or ("", ""))[1])
    since = str(work.get("since") or "")
    unsure = bool(metrics) and (table.empty or bool(since) or until > now.isoformat())

    def policy(messages: Sequence[BaseMessage]) -> Move:
        asked = last_result(messages, "data_range")
        if unsure and asked is None and not last_error(messages, "data_range"):
            return Move("See which days have data.", (("data_range", {"metrics": metrics}),))
        text, evidence = prose.compose(
            table,
            language,
            order=work.get("order_by") or (),
            compared=bool(work.get("compared")),
            assumptions=assumptions,
            time_range=work.get("time_range"),
            data_range=(asked or {}).get("data_range") or None,
            since=since[:10],
        )
        derived = [
            {"operation": item["derived"], "column": item.get("column", "")}
            for item in evidence
            if item.get("derived")
        ]
        return Move(
            "Write what the result says.",
            (("write_answer", {"text": text, "evidence": evidence, "derived": derived}),),
        )

    goal = {
        "question": question,
        "assumptions": assumptions,
        "columns": [
            {"name": c.name, "label": c.label, "role": c.role, "unit": c.unit} for c in table.columns
        ],
        "row_count": len(table.rows),
        "rows": [list(row) for row in table.rows[:50]],
    }
    return Stage(
        name="document",
        goal=json.dumps(goal, ensure_ascii=False),
        tools=(
            Tool("write_answer", "Write the answer; its numbers are checked.", WriteAnswer, write),
            Tool("data_range", data_range.description, data_range.arguments, find_days),
        ),
        system_prompt=_PROMPT.format(language=_LANGUAGES[language]),
        threshold=0.95,
        max_iterations=4,
        scorer=score,
        policy=policy,
        step="respond",
    )
