"""Stage three: the answer in words, every number of which is traced to a cell of the result."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field

from agents.analyst import prose
from agents.analyst.linker.text import language as script
from agents.analyst.sql_work import SqlWork
from agents.analyst.table import Table
from agents.analyst.traced import Derived, Operation, figures, untraced
from agents.runtime.errors import ToolError
from agents.runtime.rules import Move
from agents.runtime.scoring import Score, weighted
from agents.runtime.stage import Stage
from agents.runtime.tools import Tool, ToolResult
from agents.runtime.work import Work, digest

_PROMPT = """You write the answer to a question from a query result, in {language}, in a few plain
sentences or a
short list, with write_answer. Every number in the text must be a cell of the result as shown (rounding to the
digits you write, and % k M 万 亿, are fine) or be declared under `derived` with the operation, column and row
numbers (from 0) that give it. Write no number from anywhere else. Only columns that `adds_up` may be summed;
rows whose `extent` is not "all" are not the whole, so say nothing of a whole from them. Say which periods
`data_range` covers only in part. Repeat the assumptions you were given. When the result is empty, say so."""
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


class DocumentWork(Work):
    """The answer as it was written."""

    text: str = ""
    evidence: list[dict[str, Any]] = Field(default_factory=list)
    derived: list[DerivedArgument] = Field(default_factory=list)


@dataclass(frozen=True)
class Document:
    """The stage's tool, scorer and rules over one result; `found` is what the SQL stage left."""

    question: str
    table: Table
    language: str
    found: SqlWork

    def write(self, work: DocumentWork, arguments: WriteAnswer) -> ToolResult:
        missing = self._untraced(arguments.text, arguments.derived)
        if missing:
            raise ToolError(
                "these numbers are in no cell of the result and not declared as derived: "
                + ", ".join(missing)
            )
        updates = {"text": arguments.text, "evidence": arguments.evidence, "derived": arguments.derived}
        return ToolResult({"written": True}, updates)

    def score(self, work: DocumentWork) -> Score:
        text, table = work.text, self.table
        missing = self._untraced(text, work.derived)
        spoken = script(text)
        said = bool(figures(text)) or not table.rows or table.empty
        return weighted(
            (
                (0.2, bool(text.strip()), "no answer was written"),
                (
                    0.2,
                    bool(text) and (spoken == self.language or not spoken),
                    f"not in {_LANGUAGES[self.language]}",
                ),
                (0.4, bool(text) and not missing, f"not found in the result: {', '.join(missing)}"),
                (0.2, bool(text) and said, "the answer names no figure of the result"),
            )
        )

    def _untraced(self, text: str, declared: list[DerivedArgument]) -> list[str]:
        derived = [Derived(item.operation, item.column, tuple(item.rows)) for item in declared]
        known = [self.question, *self.found.assumptions]
        return untraced(text, self.table, derived, known, self.found.coverage.dates)

    def move(self, _: DocumentWork) -> Move:
        text, evidence = prose.compose(self.table, self.language, self.found.coverage, self.found.assumptions)
        derived = [
            {"operation": item["derived"], "column": item.get("column", "")}
            for item in evidence
            if item.get("derived")
        ]
        return Move(
            "Write what the result says.",
            (("write_answer", {"text": text, "evidence": evidence, "derived": derived}),),
        )


def stage(question: str, table: Table, language: str, found: SqlWork) -> Stage[DocumentWork]:
    """The document stage over the result that the SQL stage found."""
    document = Document(question, table, language, found)
    goal = {
        "question": question,
        "assumptions": found.assumptions,
        "columns": [
            {"name": c.name, "label": c.label, "role": c.role, "unit": c.unit, "adds_up": table.adds_up(c)}
            for c in table.columns
        ],
        "extent": table.extent,
        "data_range": [f"{day}" for day in found.days or ()],
        "row_count": len(table.rows),
        "rows": [list(row) for row in table.rows[:50]],
    }
    return Stage(
        name="document",
        goal=json.dumps(goal, ensure_ascii=False),
        work=DocumentWork(),
        tools=(
            Tool("write_answer", "Write the answer; its numbers are checked.", WriteAnswer, document.write),
        ),
        system_prompt=_PROMPT.format(language=_LANGUAGES[language]),
        threshold=0.95,
        max_iterations=4,
        scorer=document.score,
        policy=document.move,
        identity=digest(goal, table.rows, language, found.sql),
        step="respond",
    )
