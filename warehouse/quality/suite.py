"""What a gate expects, as data: what dbt's tests, which see one state of one table, cannot decide.

How much each day delivers, how its values are distributed, whether the newest day has come (`daily`); and
whether the layers say the same (`totals`). Keys, references and values are dbt's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from warehouse.errors import PermanentError
from warehouse.ingestion.schema import DATABASE, TABLES, Table
from warehouse.ingestion.schema import FOLDER as TABLES_DIR

SUITES_DIR = Path(__file__).with_name("suites")


class SuiteError(PermanentError):
    """A suite's file is missing or is not one."""


class Figure(BaseModel):
    """One figure of each day: an aggregate `of` the day's rows, in standard SQL.

    `within`: by what share it may lie beyond what it was on the days before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    of: str
    within: float = Field(gt=0)


class Daily(BaseModel):
    """What is expected of each day that a table receives. `fresh_within_days`: how old its newest may be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str = Field(pattern=r"^\w+\.\w+$")
    day: str = "_day"
    loaded_at: str = "_loaded_at"
    fresh_within_days: int | None = Field(default=None, ge=1)
    figures: Mapping[str, Figure] = Field(default_factory=dict)


class Totals(BaseModel):
    """Statements of several tables that must agree: each selects the key and the same figures, by name.

    `sides` are standard SQL, by the table that each reads. `off_by`: how far two may differ, in the figure's
    unit. With `at_least` another side may hold more than the first, never less.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    key: str
    sides: Mapping[str, str] = Field(min_length=2)
    off_by: float = Field(default=0.0, ge=0)
    at_least: bool = False


class Suite(BaseModel):
    """All that one gate expects; `written_in` is where a person changes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layer: str
    written_in: str
    daily: tuple[Daily, ...] = ()
    totals: tuple[Totals, ...] = ()

    @property
    def tables(self) -> list[str]:
        """Every table that the gate reads."""
        sides = (table for totals in self.totals for table in totals.sides)
        return sorted({*(daily.table for daily in self.daily), *sides})


def load_suite(layer: str, folder: Path = SUITES_DIR, tables: Sequence[Table] = TABLES) -> Suite:
    """The gate of ODS is its tables' own, each in the table's file; any other layer's is `<layer>.yml`.

    Raises `SuiteError` with the line that is wrong.
    """
    path = TABLES_DIR if layer == DATABASE else folder / f"{layer}.yml"
    try:
        if layer == DATABASE:
            expected = {"daily": [{"table": table.name, **table.gate} for table in tables if table.gate]}
        else:
            expected = yaml.safe_load(path.read_text("utf-8"))
        return Suite.model_validate({"layer": layer, "written_in": str(path), **expected})
    except FileNotFoundError:
        known = ", ".join(sorted([DATABASE, *(file.stem for file in folder.glob("*.yml"))]))
        raise SuiteError(f"There is no gate for layer {layer!r} in {folder}. There are: {known}.") from None
    except (yaml.YAMLError, ValidationError) as error:
        raise SuiteError(f"What {path} expects is no suite: {error}") from error
