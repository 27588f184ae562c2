"""The steward's records: what failed, what was asked of the warehouse, what that showed, what follows."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Fault = Literal[
    "late",
    "doubled",
    "truncated",
    "negative",
    "drifted",
    "missing_table",
    "broken_reference",
    "wrong_unit",
    "time_shift",
    "unknown",
]
Severity = Literal["high", "medium", "low"]
SignKind = Literal[
    "no_table",
    "no_rows",
    "fewer_rows",
    "more_rows",
    "two_loads",
    "repeated",
    "loaded_again",
    "negative",
    "scaled",
    "shifted",
    "moved_out",
    "redistributed",
    "rewritten",
    "new_values",
    "empty",
    "orphans",
    "childless",
    "arrived_late",
    "not_a_number",
    "failing",
    "refused",
]


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Bound(Record):
    """A file of the repository with numbers that somebody chose, and the change, in words and as a diff, by
    which what failed would pass.
    """

    file: str
    changes: tuple[str, ...]
    diff: str


class FailedCheck(Record):
    """One expectation, test or load that failed. `rows_sql` selects the failing rows, where there are any to
    select; `observed` is what the check itself said, `days` those that it named.
    """

    name: str
    table: str = ""
    columns: tuple[str, ...] = ()
    rows_sql: str = ""
    observed: str = ""
    days: tuple[date, ...] = ()
    bound: Bound | None = None


class Failure(Record):
    """A task that failed; `recheck` says how its check is made again: a gate's layer, dbt's selection."""

    kind: Literal["gate", "test", "load"]
    task: str
    message: str = ""
    recheck: str = ""
    checks: tuple[FailedCheck, ...] = ()


class Reference(Record):
    """A column that must name a row of another table."""

    column: str
    table: str
    key: str


class Source(Record):
    """A table as it is loaded: a day at a time. What it does not know of itself is not examined. With
    `repeats` its source sends some rows twice, which is no fault.
    """

    name: str
    key: str = ""
    repeats: bool = False
    event_time: str = ""
    references: tuple[Reference, ...] = ()
    columns: dict[str, Literal["number", "text", "time", "date"]] = Field(default_factory=dict)

    @property
    def measures(self) -> dict[str, str]:
        """The columns whose values have a distribution: no keys, no columns of the load's own."""
        ids = {self.key, *(reference.column for reference in self.references)}
        return {
            name: kind
            for name, kind in self.columns.items()
            if name not in ids and not name.startswith("_") and kind != "date"
        }


class Evidence(Record):
    """A query and what it returned, as far as it is cited; `of` says what was asked. What the warehouse
    refused has its words in place of rows.
    """

    id: str
    of: str
    sql: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    refused: str = ""


class Cite(Record):
    """A row of an evidence."""

    evidence: str
    row: int


class Sign(Record):
    """Something measured that is not as on the other days. `rows` of the `of_rows` of that day show it."""

    kind: SignKind
    table: str
    day: date | None = None
    column: str = ""
    rows: int = 0
    of_rows: int = 0
    figures: dict[str, float] = Field(default_factory=dict)
    words: dict[str, str] = Field(default_factory=dict)
    cites: tuple[Cite, ...] = ()


class Finding(Record):
    """A fault, by the signs that show it. `rows` are those concerned, of the days' `of_rows`; a `doubt` says
    what else it could be.
    """

    fault: Fault
    table: str
    days: tuple[date, ...] = ()
    columns: tuple[str, ...] = ()
    rows: int = 0
    of_rows: int = 0
    severity: Severity = "low"
    signs: tuple[Sign, ...] = ()
    doubt: str = ""


Action = Literal["reload", "quarantine", "widen"]


class Step(Record):
    """What a proposal does: days are loaded again, every table, or of the days of one table the rows that
    meet `where` (plain SQL over its own columns) are put aside.
    """

    days: tuple[date, ...]
    table: str = ""
    where: str = ""
    rows: int = 0


class Proposal(Record):
    """Something that may be done about the faults, once a person has approved it. Code is changed by people:
    to widen a bound is a diff for them.
    """

    action: Action
    steps: tuple[Step, ...] = ()
    text: str = ""
    diff: str = ""
