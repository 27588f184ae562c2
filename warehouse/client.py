"""What the other rooms see of a warehouse: a small protocol, its records, and `connect`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from warehouse.errors import SettingsError
from warehouse.settings import WarehouseSettings

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa


@dataclass(frozen=True)
class Column:
    """A result column: its name and the server's own name of its type, such as `Nullable(Float64)`."""

    name: str
    type: str


@dataclass(frozen=True)
class Limits:
    """Caps on one query, enforced by the server. `None` leaves the server's own cap.

    `rows` and `bytes` cap the result; `read_rows` caps what is scanned; `seconds` caps the run.
    """

    rows: int | None = 10_000
    bytes: int | None = 64 * 1024 * 1024
    read_rows: int | None = None
    seconds: float | None = 30.0


@dataclass(frozen=True)
class Result:
    """A whole result in memory. Rows are tuples of Python values; times are aware, in UTC.

    `elapsed` is in seconds at the client; `rows_read` and `bytes_read` are what the server says it read.
    """

    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]
    elapsed: float = 0.0
    rows_read: int = 0
    bytes_read: int = 0

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
    """What a query would return and would cost, learnt without running it.

    `estimated_rows` and `estimated_parts` are what the server would scan, 0 where it cannot say.
    """

    columns: tuple[Column, ...]
    estimated_rows: int
    estimated_parts: int


class Warehouse(Protocol):
    """One connection to one warehouse. Safe to share between threads.

    Every method raises `warehouse.errors`: `QueryError` and its children for what the server refused,
    `TransientError` for what may work later. Only reads are retried here.
    """

    dialect: str

    def query(
        self, sql: str, *, limits: Limits | None = None, parameters: Mapping[str, Any] | None = None
    ) -> Result:
        """Run a SELECT. `parameters` fill ClickHouse's `{name:Type}` placeholders."""

    def dry_run(self, sql: str) -> DryRun:
        """Check a SELECT without running it; raises `QueryError` with the server's reason."""

    def execute(self, sql: str) -> None:
        """Run a statement that returns nothing (DDL, ALTER, INSERT ... SELECT); never retried."""

    def insert_arrow(self, table: str, data: pa.Table, *, dedup_token: str | None = None) -> None:
        """Append `data`. With a token, a second insert of the same token changes nothing (the table must
        set `non_replicated_deduplication_window`)."""

    def replace_partition(self, table: str, partition: date, data: pa.Table) -> None:
        """Put `data` in place of all that the partition holds, at once; empty data empties it."""

    def ping(self) -> None:
        """Return when the server answers, else raise `UnreachableError`."""

    def close(self) -> None:
        """Give the connections back."""


def connect(settings: WarehouseSettings, *, read_only: bool = False) -> Warehouse:
    """Open the warehouse that `settings.warehouse_url` names, as the writer or as the read-only user.

    The URL's scheme chooses the kind: `http` and `https` are ClickHouse. Nothing is sent before the first
    call.
    """
    scheme = urlsplit(settings.warehouse_url).scheme
    if scheme not in ("http", "https"):
        raise SettingsError(
            f"TIDEMARK_WAREHOUSE_URL is {settings.warehouse_url!r}: "
            f"no warehouse speaks {scheme or 'that'!r}. "
            "Use http://host:port or https://host:port of a ClickHouse server."
        )
    from warehouse.clickhouse import ClickHouse

    user, password = (
        (settings.warehouse_reader_user, settings.warehouse_reader_password)
        if read_only
        else (settings.warehouse_user, settings.warehouse_password)
    )
    return ClickHouse(settings.warehouse_url, user, password)
