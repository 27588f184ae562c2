"""What a gate expects, as data: one YAML file a layer under `suites/`, in Great Expectations' own words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from warehouse.errors import PermanentError

SUITES_DIR = Path(__file__).with_name("suites")


class SuiteError(PermanentError):
    """A suite's file is missing or is not one."""


class Expectation(BaseModel):
    """One of Great Expectations' expectations: its type in snake case and its arguments."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str
    kwargs: Mapping[str, Any] = Field(default_factory=dict)


class ForbiddenRows(BaseModel):
    """A statement that selects the rows that must not exist; `{batch}` stands for the table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sql: str

    @property
    def expectation(self) -> Expectation:
        return Expectation(type="unexpected_rows_expectation", kwargs={"unexpected_rows_query": self.sql})


class TableSuite(BaseModel):
    """What is expected of one table. `key` names the columns that identify a failing row in the message."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str = Field(pattern=r"^\w+\.\w+$")
    key: tuple[str, ...] = Field(min_length=1)
    expectations: tuple[Expectation, ...] = ()
    no_rows: tuple[ForbiddenRows, ...] = ()

    @property
    def database(self) -> str:
        return self.table.split(".")[0]

    @property
    def name(self) -> str:
        return self.table.split(".")[1]


class Suite(BaseModel):
    """All that one gate expects."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layer: str
    tables: tuple[TableSuite, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_layer_one_database(self) -> Suite:
        strangers = [table.table for table in self.tables if table.database != self.layer]
        if strangers:
            raise ValueError(f"not tables of layer {self.layer}: {', '.join(strangers)}")
        return self


def load_suite(layer: str, folder: Path = SUITES_DIR) -> Suite:
    """Read `<layer>.yml`. Raises `SuiteError` with the line that is wrong."""
    path = folder / f"{layer}.yml"
    try:
        return Suite.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except FileNotFoundError:
        known = ", ".join(sorted(file.stem for file in folder.glob("*.yml"))) or "none"
        raise SuiteError(f"There is no gate for layer {layer!r} in {folder}. There are: {known}.") from None
    except (yaml.YAMLError, ValidationError) as error:
        raise SuiteError(f"The gate's file {path} is not a suite: {error}") from error
