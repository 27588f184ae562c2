"""What a caller gets back from a question: answered, declined or failed, with everything it rests on."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agents.analyst.table import Cell, ColumnMeaning, Extent, Role, show
from agents.runtime.budget import Spent
from warehouse import Cost

Status = Literal["answered", "declined", "failed"]
# What a stage that passed has shown, and no more: whether the question was understood is not measured.
CHECKS = {"sql": "ran", "chart": "valid", "document": "traced"}


class AnswerColumn(BaseModel):
    """A result column: name in SQL, label in the question's language, role, unit, and a time's grain."""

    name: str
    label: str
    role: Role
    unit: str = ""
    grain: str = ""

    @property
    def meaning(self) -> ColumnMeaning:
        return ColumnMeaning(self.name, self.label, self.role, self.unit, self.grain)


class Evidence(BaseModel):
    """A statement's figure and the cell it was read from; `derived` says how a column was computed to it."""

    claim: str
    value: Cell
    row: int | None = None
    column: str = ""
    derived: str = ""


class Suggestion(BaseModel):
    """Something that can be asked instead."""

    name: str
    label: str
    example: str


class Answer(BaseModel):
    """One answered, declined or failed question. `extent` says what the rows are of what was asked about,
    `checks` what was checked and whether it held: the SQL `ran`, the chart is `valid`, every figure of the
    text is `traced` to the result. `spent` is what the run used, `over` which budget ended it before its
    time; `timings` are seconds a stage.
    """

    model_config = ConfigDict(protected_namespaces=())

    run_id: str
    session_id: str = ""
    trace_id: str = ""
    question: str
    language: str
    domain: str = "auto"
    status: Status
    text: str
    sql: str = ""
    columns: list[AnswerColumn] = Field(default_factory=list)
    rows: list[list[Cell]] = Field(default_factory=list)
    extent: Extent = "all"
    chart: dict[str, Any] | None = None
    checks: dict[str, bool] = Field(default_factory=dict)
    reasons: list[str] = Field(default_factory=list)
    evidence: list[Evidence] = Field(default_factory=list)
    nearest: list[Suggestion] = Field(default_factory=list)
    assumptions: list[str] = Field(default_factory=list)
    model: str = ""
    fallback: str = ""
    # What the SQL would read and cost, said before it ran; None where the warehouse cannot say.
    estimated_bytes: int | None = None
    estimated_usd: float | None = None
    spent: Spent = Field(default_factory=Spent)
    over: str = ""
    report_path: str = ""
    asked_at: datetime
    timings: dict[str, float] = Field(default_factory=dict)

    @property
    def estimate(self) -> str:
        """The estimate of the SQL's cost as a person reads it; empty where there is none."""
        return str(Cost(bytes=self.estimated_bytes, usd=self.estimated_usd))

    def shown(self, row: list[Cell]) -> list[str]:
        """A row's cells as people read them, in their units."""
        return [show(value, column.meaning) for value, column in zip(row, self.columns, strict=True)]
