"""The ODS tables of the sample: a file of `tables/` each, with key, columns and what its gate expects.

The columns are those of BigQuery's public thelook_ecommerce; two of our own come with every table. DDL, the
generator's schema and the gate after ODS follow from the file, and a test holds dbt's sources against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast, get_args

import pyarrow as pa
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from warehouse.client import ColumnSpec, TableSpec, Type
from warehouse.errors import PermanentError

DATABASE = "ods"
FOLDER = Path(__file__).with_name("tables")
_DAY = ColumnSpec("_day", "date")


class TableFileError(PermanentError):
    """A file of `tables/` is not one."""


@dataclass(frozen=True)
class Table:
    """One table: `columns` without the two that the loader adds; `gate` as the file has it, None without."""

    source: str
    key: str
    columns: tuple[ColumnSpec, ...]
    gate: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        return f"{DATABASE}.commerce_{self.source}"

    @property
    def arrow(self) -> pa.Schema:
        """What the generator makes: the source's columns and `_day`."""
        return pa.schema([pa.field(column.name, column.arrow) for column in (*self.columns, _DAY)])

    @property
    def spec(self) -> TableSpec:
        """The table in the warehouse."""
        columns = (*self.columns, _DAY, ColumnSpec("_loaded_at", "time"))
        return TableSpec(self.name, columns, partition_by=_DAY.name, order_by=(self.key,))


class _File(BaseModel):
    """A column's type is neutral; what may be missing has a question mark."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    columns: dict[str, Annotated[str, Field(pattern=rf"^({'|'.join(get_args(Type))})\??$")]]
    gate: dict[str, Any] | None = None


def read_tables(folder: Path = FOLDER) -> tuple[Table, ...]:
    """Every table of a folder, by name. Raises `TableFileError` with the line that is wrong."""
    return tuple(_read(path) for path in sorted(folder.glob("*.yml")))


def _read(path: Path) -> Table:
    try:
        file = _File.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise TableFileError(f"{path} describes no table: {error}") from error
    columns = (
        ColumnSpec(name, cast(Type, kind.rstrip("?")), nullable=kind.endswith("?"))
        for name, kind in file.columns.items()
    )
    return Table(path.stem, file.key, tuple(columns), file.gate)


TABLES = read_tables()
