"""What the SQL stage's tools are given and give, and what is known of a question's SQL after each of them."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from agents.analyst.answer import Meaning
from agents.analyst.grammar.when import Calendar
from agents.analyst.intent import Intent
from agents.analyst.saying import notes
from agents.analyst.saying.coverage import Coverage, settled
from agents.analyst.saying.table import Cell, Extent, Table, read, unproven
from agents.analyst.sql import Statement
from agents.analyst.vocabulary import Vocabulary
from agents.runtime.tools import Result
from agents.runtime.work import ToolCall, Work

_UNPROVEN = (
    "Nothing proves that this is what was asked. Put into the intent what it leaves out, and take out what "
    "was not asked for; or ask_back; or decline, with the meaning as a suggestion."
)


class Read(Result):
    """What a question may mean, the likeliest first; `refused` says why nothing, with what can be asked
    instead. It is `certain` where there is one meaning and it is proven.
    """

    readings: tuple[Meaning, ...] = ()
    certain: bool = False
    refused: str = ""
    suggestions: tuple[str, ...] = ()

    def shown(self) -> Any:
        if self.refused:
            return {"refused": self.refused, "suggestions": list(self.suggestions)}
        readings = [one.model_dump(mode="json", exclude_defaults=True) for one in self.readings]
        return {"certain": self.certain, "readings": readings}


class Compiled(Result):
    """SQL of an intent; it has not been checked yet. `left_out` is what the question says and the intent does
    not, `added` what the intent leaves rows out by and the question does not say: then the meaning is not
    proven.
    """

    meaning: Meaning
    statement: Statement
    left_out: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    def shown(self) -> dict[str, Any]:
        told: dict[str, Any] = {"means": self.meaning.sentence, "sql": self.statement.sql}
        if self.left_out:
            told["the question also says"] = list(self.left_out)
        if self.added:
            told["the question has no word for"] = list(self.added)
        if not self.meaning.proven:
            told["not accepted"] = _UNPROVEN
        return told


class DryRun(Result):
    """SQL that passed the guard and a dry run: as it was given, as the guard printed it, and the (name,
    server type) pairs that it would return.
    """

    given: str
    sql: str
    columns: tuple[tuple[str, str], ...]
    estimated_rows: int | None
    estimated_bytes: int | None = None
    estimated_usd: float | None = None

    def shown(self) -> dict[str, Any]:
        return self.model_dump(exclude={"given", "sql"}, exclude_none=True)


class Preview(BaseModel):
    """What a language model is shown of a result."""

    columns: list[str]
    row_count: int
    rows: list[tuple[Cell, ...]]
    extent: Extent
    empty: bool
    data_range: tuple[date, date] | None


class Rows(Result):
    """What SQL returned: as it was given, as the guard printed it, (name, server type) pairs and rows.
    `capped` says that the rows are as many as the SQL's LIMIT lets through; a compiled one lets through one
    more than was asked for. `days` are the first and last with data; `undated` says that there is data, and
    that none of it has a time. `whole` is the figure of all of an earlier period of which only the same days
    were compared, `nameless` are those of what a ranking leaves out as it has no name.
    """

    given: str
    sql: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Cell, ...], ...]
    capped: bool
    elapsed: float
    rows_read: int | None
    days: tuple[date, date] | None = None
    undated: bool = False
    whole: str = ""
    nameless: str = ""
    preview: Preview | None = None

    def shown(self) -> Any:
        return self.preview.model_dump(mode="json") if self.preview else None


class Decline(Result):
    """Why there is no answer: `failed` when a part broke, not when the data has none."""

    reason: str
    failed: bool = False
    suggestions: tuple[str, ...] = ()

    def shown(self) -> str:
        return "noted"


class AskedBack(Result):
    """What the asker is to choose from."""

    readings: tuple[Meaning, ...]

    def shown(self) -> str:
        return "noted"


class FoundMetric(BaseModel):
    name: str
    label: str
    description: str
    unit: str
    finest_grain: str
    dimensions: tuple[str, ...]


class Found(Result):
    """Metrics that a text may mean, and the dimensions that they may be split by."""

    metrics: tuple[FoundMetric, ...]
    dimensions: dict[str, str]


class Asked(BaseModel):
    """A question, the language and domain that it is answered in, and the moment and weeks that its words of
    time go by. `previous` is what was asked before it in the conversation, `reading` which of several
    meanings was chosen, from 1; 0 is none. With `free_sql` a model may write SQL where no metric fits.
    """

    model_config = ConfigDict(frozen=True)

    question: str
    language: str
    domain: str
    calendar: Calendar
    previous: Intent | None = None
    reading: int = 0
    free_sql: bool = False


class SqlWork(Work):
    """What is known of a question's SQL. `meaning` and `statement` are what `sql` was compiled from; there
    are none when a model wrote the SQL itself. `checked` and `found` are of `sql` as it is now.
    """

    asked: Asked
    read: Read | None = None
    meaning: Meaning | None = None
    statement: Statement | None = None
    sql: str = ""
    checked: DryRun | None = None
    found: Rows | None = None
    declined: Decline | None = None
    unclear: tuple[Meaning, ...] = ()

    def reduce(self, call: ToolCall, result: Any) -> Self:
        match result:
            case Read():
                return self.having(read=result)
            case Compiled(meaning=meaning, statement=statement):
                return self.having(
                    meaning=meaning, statement=statement, sql=statement.sql, checked=None, found=None
                )
            case DryRun():
                return self._of(result).having(checked=result, found=None)
            case Rows():
                return self.ran(result)
            case Decline():
                return self.having(declined=result)
            case AskedBack():
                return self.having(unclear=result.readings)
        return self

    def ran(self, rows: Rows) -> Self:
        checked = self.checked if self.sql == rows.sql else None
        return self._of(rows).having(checked=checked, found=rows)

    def _of(self, result: DryRun | Rows) -> Self:
        """With the SQL as it is now, and what it was compiled from if it is the compiled SQL and no other."""
        same = self.sql in (result.given, result.sql)
        return self.having(
            sql=result.sql,
            meaning=self.meaning if same else None,
            statement=self.statement if same else None,
        )

    @property
    def coverage(self) -> Coverage:
        calendar = self.asked.calendar
        if self.meaning is None:
            return Coverage(calendar)
        days, undated = (self.found.days, self.found.undated) if self.found else (None, False)
        return Coverage.of(self.meaning.intent, calendar, days, undated)

    def table(self, names: Vocabulary) -> Table:
        """The rows that were asked for, with their meaning."""
        assert self.found is not None
        found, language = self.found, self.asked.language
        if self.meaning is None or self.statement is None:
            return unproven(found.columns, found.rows, found.capped)
        table = read(self.statement, self.meaning.intent, found.rows, names, language, found.capped)
        return settled(table, self.coverage)

    def notes(self, names: Vocabulary) -> list[str]:
        """What must be said beside the rows."""
        if self.meaning is None or self.found is None:
            return []
        meaning, table = self.meaning, self.table(names)
        language, whole, nameless = self.asked.language, self.found.whole, self.found.nameless
        return notes(meaning.intent, table, self.coverage, names, language, meaning.spelt, whole, nameless)
