"""What tables there are and what they mean: read from dbt's manifest, so that the models' YAML is the one source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from warehouse.client import Warehouse


@dataclass(frozen=True)
class TableColumn:
    """A column with its meaning. `type` is the server's, empty until the table is built."""

    name: str
    type: str
    description: str


@dataclass(frozen=True)
class Table:
    """A dbt model or source. `grain` says what one row is; `name` is unqualified."""

    database: str
    name: str
    layer: str
    domain: str
    description: str
    grain: str
    columns: tuple[TableColumn, ...]

    @property
    def qualified_name(self) -> str:
        return f"{self.database}.{self.name}"


class Catalogue:
    """The tables by qualified name (`dwd.dwd_orders`)."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self.tables: Mapping[str, Table] = {table.qualified_name: table for table in tables}

    @classmethod
    def load(cls, manifest_path: Path, warehouse: Warehouse | None = None) -> Catalogue:
        """Read dbt's manifest.json; with a warehouse, add the live column types. Raises `CatalogueError`."""
        raise NotImplementedError

    def search(self, text: str, k: int = 5) -> list[Table]:
        """The `k` tables nearest to a question, best first; empty when no word of it is known."""
        raise NotImplementedError

    def as_prompt(self, tables: Iterable[Table]) -> str:
        """The tables as compact text for a language model."""
        raise NotImplementedError
