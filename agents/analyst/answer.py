"""What a caller gets back from a question, answered or not, with everything that it rests on."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agents.analyst.intent import Intent
from agents.analyst.saying.notes import Spelt
from agents.analyst.saying.prose import Evidence
from agents.analyst.saying.table import Cell, ColumnMeaning, Extent, Role, show
from agents.runtime.budget import Spent
from warehouse import Cost

Status = Literal["answered", "unclear", "declined", "failed"]
# What a stage that passed has shown.
CHECKS = {"sql": "ran", "chart": "valid", "document": "traced"}


class Meaning(BaseModel):
    """What a question is taken to mean: the intent, and the sentence that says it in the asker's language.

    It is `proven` where the sentence is read back as exactly the intent, which leaves nothing out that the
    question names, or where the asker chose it. `confidence` is the chance, 0 to 1,
    that it is what was asked; None where that is not measured. `spelt`: words that were read as others.
    """

    model_config = ConfigDict(frozen=True)

    intent: Intent
    sentence: str
    proven: bool = True
    confidence: float | None = None
    spelt: tuple[Spelt, ...] = ()


class AnswerColumn(BaseModel):
    """A result column: name in SQL, label in the question's language, role, unit, a time's grain, and what
    the cells of a category are called where they are numbers.
    """

    name: str
    label: str
    role: Role
    unit: str = ""
    grain: str = ""
    values: tuple[str, ...] = ()

    @property
    def meaning(self) -> ColumnMeaning:
        return ColumnMeaning(self.name, self.label, self.role, self.unit, self.grain, values=self.values)


class Answer(BaseModel):
    """One question: answered; `unclear`, with the `readings` to choose from (ask again with the number of
    one); declined, with `suggestions` that are answered; or failed.

    `meaning` is what an answer is the answer to; without one a language model wrote the SQL. `extent` says
    what the rows are of what was asked about, `notes` what must be known beside them. `checks` says what was
    checked and whether it held: the sentence of the meaning is `proven`, the SQL `ran`, the chart is `valid`,
    every figure of the text is `traced` to the result. `spent` is what the run used, `over` which budget
    ended it before its time; `timings` are seconds a stage.
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
    meaning: Meaning | None = None
    readings: list[Meaning] = Field(default_factory=list)
    suggestions: list[str] = Field(default_factory=list)
    sql: str = ""
    columns: list[AnswerColumn] = Field(default_factory=list)
    rows: list[list[Cell]] = Field(default_factory=list)
    extent: Extent = "all"
    chart: dict[str, Any] | None = None
    checks: dict[str, bool] = Field(default_factory=dict)
    reasons: list[str] = Field(default_factory=list)
    evidence: list[Evidence] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
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
