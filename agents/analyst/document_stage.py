"""Stage three: the answer in words, every number of which is traced to a cell of the result."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Self

from langchain_core.tools import InjectedToolArg, tool
from pydantic import BaseModel, Field

from agents.analyst.grammar.text import CJK
from agents.analyst.grammar.text import language as script
from agents.analyst.saying import prose
from agents.analyst.saying.coverage import Coverage
from agents.analyst.saying.prose import Evidence
from agents.analyst.saying.table import Table
from agents.analyst.sql_work import SqlWork
from agents.analyst.traced import Derived, Operation, figures, untraced
from agents.runtime.errors import ToolError
from agents.runtime.rules import Move
from agents.runtime.scoring import Score, weighted
from agents.runtime.stage import Stage
from agents.runtime.tools import REGISTRY, Result, ToolContext
from agents.runtime.work import ToolCall, Work, digest

_PROMPT = """You write the answer to a question from a query result, in {language}, in a few plain
sentences or a short list, with write_answer. Every number in the text must be a cell of the result as shown
(rounding to the digits you write, and % k M 万 亿, are fine) or be declared under `derived` with the
operation, column and row numbers (from 0) that give it. Write no number from anywhere else. Only columns that
`adds_up` may be summed; rows whose `extent` is not "all" are not the whole, so say nothing of a whole from
them. Say which periods `data_range` covers only in part. Repeat the notes you were given. When the
result is empty, say so."""
_LANGUAGES = {"en": "English", "zh": "Chinese"}


class DerivedArgument(BaseModel):
    operation: Operation
    column: str = ""
    rows: list[int] = Field(default_factory=list, description="row numbers from 0; empty means all rows")


class DocumentWork(Work):
    """What is written about, then the answer as it was written."""

    question: str
    language: str
    table: Table
    coverage: Coverage
    meaning: str = ""
    notes: tuple[str, ...] = ()
    text: str = ""
    evidence: tuple[Evidence, ...] = ()
    derived: tuple[DerivedArgument, ...] = ()

    def reduce(self, call: ToolCall, result: Any) -> Self:
        if isinstance(result, Written):
            return self.having(text=result.text, evidence=result.evidence, derived=result.derived)
        return self

    def untraced(self, text: str, declared: Iterable[DerivedArgument]) -> list[str]:
        """The numbers of a text that are in no cell of the result and not declared."""
        derived = [Derived(item.operation, item.column, tuple(item.rows)) for item in declared]
        # A figure that only the question names (`answer 42`) is none of the answer's; what it asks for by
        # one, the meaning says too.
        context = [self.meaning or self.question, *self.notes]
        return untraced(text, self.table, derived, context, self.coverage.dates)


class Written(Result):
    text: str
    evidence: tuple[Evidence, ...]
    derived: tuple[DerivedArgument, ...]

    def shown(self) -> dict[str, bool]:
        return {"written": True}


@REGISTRY.register()
@tool
def write_answer(
    text: Annotated[
        str, Field(min_length=1, max_length=16_000, description="Markdown, in the question's language")
    ],
    context: Annotated[ToolContext[DocumentWork, Any], InjectedToolArg],
    derived: Sequence[DerivedArgument] = (),
    evidence: Annotated[Sequence[Evidence], Field(description="one a figure")] = (),
) -> Written:
    """Write the answer; its numbers are checked."""
    missing = context.work.untraced(text, derived)
    if missing:
        raise ToolError(
            f"these numbers are in no cell of the result and not declared as derived: {', '.join(missing)}"
        )
    return Written(text=text, evidence=tuple(evidence), derived=tuple(derived))


def score(work: DocumentWork) -> Score:
    """Whether there is a text, in the right language, whose figures all come from the result."""
    text, table = work.text, work.table
    missing = work.untraced(text, work.derived)
    spoken = script(_without_names(text, work))
    said = bool(figures(text)) or not table.rows or table.empty
    return weighted(
        (
            (0.2, bool(text.strip()), "no answer was written"),
            (
                0.2,
                bool(text) and (spoken == work.language or not spoken),
                f"not in {_LANGUAGES[work.language]}",
            ),
            (0.4, bool(text) and not missing, f"not found in the result: {', '.join(missing)}"),
            (0.2, bool(text) and said, "the answer names no figure of the result"),
        )
    )


def _without_names(text: str, work: DocumentWork) -> str:
    """A text without what the data calls itself in the other language, which says nothing of its own."""
    labels = (column.label for column in work.table.columns)
    cells = (cell for row in work.table.rows for cell in row if isinstance(cell, str))
    names = "\n".join((work.meaning, work.question, *work.notes, *labels, *cells))
    other = r"[A-Za-z]+" if work.language == "zh" else f"[{CJK}]+"
    return re.sub(other, lambda found: "" if found.group() in names else found.group(), text)


def _move(work: DocumentWork) -> Move:
    text, evidence = prose.compose(work.table, work.language, work.coverage, work.notes)
    derived = [{"operation": item.derived, "column": item.column} for item in evidence if item.derived]
    arguments = {
        "text": text,
        "evidence": [item.model_dump(mode="json") for item in evidence],
        "derived": derived,
    }
    return Move("Write what the result says.", (("write_answer", arguments),))


def stage(found: SqlWork, table: Table, notes: Sequence[str]) -> Stage[DocumentWork]:
    """The document stage over the result that the SQL stage found; `notes` must be said beside it."""
    asked, meaning = found.asked, found.meaning.sentence if found.meaning else ""
    goal = {
        "question": asked.question,
        "understood_as": meaning,
        "notes": list(notes),
        "columns": [
            {"name": c.name, "label": c.label, "role": c.role, "unit": c.unit, "adds_up": table.adds_up(c)}
            for c in table.columns
        ],
        "extent": table.extent,
        "data_range": [f"{day}" for day in found.coverage.days or ()],
        "row_count": len(table.rows),
        "rows": [list(row) for row in table.rows[:50]],
    }
    return Stage(
        name="document",
        goal=json.dumps(goal, ensure_ascii=False),
        work=DocumentWork(
            question=asked.question,
            language=asked.language,
            table=table,
            coverage=found.coverage,
            meaning=meaning,
            notes=tuple(notes),
        ),
        tools=("write_answer",),
        system_prompt=_PROMPT.format(language=_LANGUAGES[asked.language]),
        threshold=0.95,
        max_iterations=4,
        rules_last=1,
        scorer=score,
        policy=_move,
        history=500,
        identity=digest(goal, table.rows, asked.language, found.sql),
        step="respond",
    )
