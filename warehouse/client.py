"""What the other rooms see of a warehouse, whatever engine it is: small protocols and their records.

`warehouse.engines.connect` opens one; each engine is a package beside this module.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from warehouse.errors import PermanentError, RowsRefusedError

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa
    from sqlglot import exp

    from warehouse.dialect import Dialect

Type = Literal["text", "bigint", "double", "date", "time", "map"]


@dataclass(frozen=True)
class Column:
    """A column as the engine has it: its name and the engine's own name of its type."""

    name: str
    type: str


@dataclass(frozen=True)
class Limits:
    """Caps on one query, enforced by the server. `None` leaves the server's own cap.

    `rows` and `bytes` cap the result, `seconds` the run. `billed_bytes` caps what is charged for, by an
    engine that charges by bytes.
    """

    rows: int | None = 10_000
    bytes: int | None = 64 * 1024 * 1024
    seconds: float | None = 30.0
    billed_bytes: int | None = None


@dataclass(frozen=True)
class Cost:
    """What a query reads and costs; None is what the engine cannot say, never 0."""

    rows: int | None = None
    bytes: int | None = None
    usd: float | None = None

    def __str__(self) -> str:
        """Bytes and money as a person reads them; empty where the engine says neither."""
        known = [] if self.bytes is None else [size(self.bytes)]
        if self.usd is not None:
            known.append("less than $0.01" if 0 < self.usd < 0.01 else f"about ${self.usd:,.2f}")
        return ", ".join(known)


def size(count: float) -> str:
    """A number of bytes in the largest unit that it fills."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:,.4g} {unit}"
        count /= 1024
    return f"{count:,.4g} TiB"


@dataclass(frozen=True)
class Result:
    """A whole result in memory. Rows are tuples of Python values; times are aware, in UTC.

    `elapsed` is in seconds at the client; `cost` is what the server says that it read.
    """

    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]
    elapsed: float = 0.0
    cost: Cost = Cost()

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]

    def records(self) -> list[dict[str, Any]]:
        """The rows as dictionaries, for JSON and charts."""
        names = self.column_names
        return [dict(zip(names, row, strict=True)) for row in self.rows]

    def arrow(self) -> pa.Table:
        """The rows as an Arrow table; a column's type is inferred from its values."""
        import pyarrow as pa

        columns = list(zip(*self.rows, strict=True)) or [()] * len(self.columns)
        return pa.Table.from_arrays([pa.array(values) for values in columns], names=self.column_names)


@dataclass(frozen=True)
class DryRun:
    """What a query would return and would cost, learnt without running it."""

    columns: tuple[Column, ...]
    cost: Cost


@dataclass(frozen=True)
class ColumnSpec:
    """A column to be. A time is UTC, to the microsecond; a map is from text to text.

    What is not `nullable` is empty or 0 where a JSON line does not have it. The rest are hints to storage:
    `few` distinct texts; numbers that mostly are `rising`. `stamped` is the time of the insert. A column
    that is there by the name of `formerly` gets its name of now.
    """

    name: str
    type: Type
    nullable: bool = False
    few: bool = False
    rising: bool = False
    stamped: bool = False
    formerly: str = ""

    @property
    def arrow(self) -> pa.DataType:
        """What its values are in Arrow."""
        import pyarrow as pa

        made: dict[Type, pa.DataType] = {
            "text": pa.string(),
            "bigint": pa.int64(),
            "double": pa.float64(),
            "date": pa.date32(),
            "time": pa.timestamp("us", tz="UTC"),
            "map": pa.map_(pa.string(), pa.string()),
        }
        return made[self.type]


@dataclass(frozen=True)
class TableSpec:
    """A table to be: `<database>.<table>`, in no engine's words.

    `partition_by` names a date, whose partitions are days, or a time. Rows are kept in `order_by`: columns,
    or (grain, column) such as ("hour", "started_at"). `retention_days` counts from the partition's time.
    `lookups` are columns that single rows are searched by.
    """

    name: str
    columns: tuple[ColumnSpec, ...]
    partition_by: str
    order_by: tuple[str | tuple[str, str], ...]
    retention_days: int | None = None
    lookups: tuple[str, ...] = ()

    @property
    def arrow(self) -> pa.Schema:
        """The schema that rows of it have."""
        import pyarrow as pa

        return pa.schema([(column.name, column.arrow) for column in self.columns])

    def fitted(self, rows: pa.Table) -> pa.Table:
        """The rows as this table's columns hold them, in its order; a stamped one may be left out.

        Raises `RowsRefusedError` for a value that a column cannot hold: engines keep a null, a 0 or another
        number in its place, each its own and most of them in silence. Maps are as the engine takes them.
        """
        import pyarrow as pa

        columns = [one for one in self.columns if one.name in rows.column_names or not one.stamped]
        names = [one.name for one in columns]
        if sorted(rows.column_names) != sorted(names):
            raise RowsRefusedError(
                f"{self.name} has the columns {', '.join(names)}; the rows have "
                f"{', '.join(rows.column_names) or 'none'}. Hand over each of its columns once."
            )
        held = []
        for column in columns:
            values = rows[column.name]
            try:
                fit = values if column.type == "map" else values.cast(column.arrow)
            except pa.ArrowException as error:
                raise RowsRefusedError(f"{self.name}.{column.name} cannot hold a value: {error}") from error
            if fit.null_count and not column.nullable:
                raise RowsRefusedError(f"{self.name}.{column.name} cannot hold a null, and is given one.")
            held.append(fit)
        return pa.table(held, names=names)

    def days_in(self, rows: pa.Table, days: Collection[date]) -> list[date]:
        """The days that rows are of, in order. Raises `PermanentError` if any is not among `days`."""
        found = set(rows[self.partition_by].unique().to_pylist())
        if others := sorted(str(one) for one in found - set(days)):
            raise PermanentError(
                f"There are rows of {', '.join(others)} among those for other days of {self.name}. "
                "Nothing was replaced; hand over the rows of the days to replace."
            )
        return sorted(found)


@dataclass(frozen=True)
class LiveTable:
    """A table or a view that is there. A view has neither `rows` nor `bytes` of its own.

    `version` changes when the table is replaced or written to; None where the engine cannot say.
    """

    database: str
    name: str
    columns: tuple[Column, ...] = ()
    rows: int | None = None
    bytes: int | None = None
    version: str | None = None

    @property
    def qualified_name(self) -> str:
        return f"{self.database}.{self.name}"


class Reader(Protocol):
    """Asks. A query is the engine's own SQL, or a tree that the dialect renders: values stand in trees."""

    @property
    def dialect(self) -> Dialect:
        """How this engine writes SQL."""

    def query(self, sql: str | exp.Query, *, limits: Limits | None = None) -> Result:
        """Run a SELECT. Tried again by itself when the server is away or has too much to do."""

    def dry_run(self, sql: str | exp.Query) -> DryRun:
        """Check a SELECT without running it; raises `QueryError` with the server's reason."""


class Loading(Protocol):
    """Writes; nothing here is tried again by itself."""

    def create(self, table: TableSpec) -> None:
        """Make a table, and its database, where they are missing."""

    def insert(self, table: TableSpec, rows: pa.Table, *, token: str | None = None) -> None:
        """Append rows that fit, or raise `RowsRefusedError`; the same token twice changes nothing."""

    def replace_days(self, table: TableSpec, days: Collection[date], rows: pa.Table) -> None:
        """Put `rows` in place of all that the table holds of these days; a day without rows is emptied.

        A day changes as a whole, at once. Raises `PermanentError`, and changes nothing, for rows of others,
        `RowsRefusedError` for rows that do not fit.
        """

    def execute(self, statement: str) -> None:
        """Run a statement of the engine's own that returns nothing."""


class LiveCatalogue(Protocol):
    """What is there."""

    def tables(self, names: Collection[str] | None = None) -> list[LiveTable]:
        """The tables of these qualified names that exist, or all but the engine's own, with their columns."""


class Warehouse(Reader, Loading, LiveCatalogue, Protocol):
    """One connection to one warehouse. Safe to share between threads.

    Every method raises `warehouse.errors`: `QueryError` and its children for what the server refused,
    `TransientError` for what may work later.
    """

    def ping(self) -> None:
        """Return when the server answers, else raise `UnreachableError`."""

    def close(self) -> None:
        """Give the connections back."""


@runtime_checkable
class LineWarehouse(Warehouse, Protocol):
    """A warehouse that takes JSON lines as they come, all day long: what telemetry is loaded into."""

    def insert_json(self, table: str, lines: bytes, *, token: str) -> None:
        """Append JSON objects, one a line, all or none; the same token twice changes nothing.

        Unknown fields are passed over; null in a column that cannot be null is its default. Raises
        `RowsRefusedError` for a value, `TransientError` for a server that is away or busy: it may have taken
        the rows all the same.
        """

    def inserts_running(self) -> int:
        """How many `insert_json` are under way, whoever sent them: also one that was killed since."""
