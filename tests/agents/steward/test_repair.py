"""Rows that are put aside: a load that comes meanwhile loses nothing."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlglot import exp

from agents.steward.case import Step
from agents.steward.repair import QUARANTINE, quarantine
from warehouse import Limits
from warehouse.client import ColumnSpec, Result, TableSpec
from warehouse.errors import TransientError
from warehouse.testing import FakeWarehouse

DAY = date(2026, 11, 3)
THEN = datetime(2026, 11, 4, tzinfo=UTC)
ORDERS = TableSpec(
    "ods.commerce_orders",
    (
        ColumnSpec("order_id", "bigint"),
        ColumnSpec("price", "double"),
        ColumnSpec("_day", "date"),
        ColumnSpec("_loaded_at", "time"),
    ),
    partition_by="_day",
    order_by=("order_id",),
)
STEP = Step.model_construct(table=ORDERS.name, days=(DAY,), where="price < 0")


def row(order: int, price: float) -> dict[str, Any]:
    return {"order_id": order, "price": price, "_day": DAY, "_loaded_at": THEN}


class LoadedMeanwhile(FakeWarehouse):
    """Another load brings a row as soon as the day has been read."""

    def query(self, sql: str | exp.Query, *, limits: Limits | None = None) -> Result:
        result = super().query(sql, limits=limits)
        if "quarantined" not in self.asked[-1] and len(self.held[ORDERS.name]) == 2:
            self.held[ORDERS.name].append(row(3, -7.0))
        return result


class KilledHereError(BaseException):
    """The process ends here."""


class Killed(FakeWarehouse):
    """Between the copy and the day without its rows."""

    def replace_days(self, *_: Any) -> None:
        raise KilledHereError


def warehouse(kind: type[FakeWarehouse]) -> FakeWarehouse:
    made = kind()
    made.create(ORDERS)
    made.held[ORDERS.name] = [row(1, 5.0), row(2, -5.0)]
    return made


def test_rows_are_put_aside_and_the_others_stay() -> None:
    writer = warehouse(FakeWarehouse)
    assert quarantine(writer, STEP, DAY, ORDERS, "run", "negative") == 1
    assert [kept["order_id"] for kept in writer.held[ORDERS.name]] == [1]
    assert len(writer.held[QUARANTINE.name]) == 1
    # Another process that does it again says what was done, and does nothing.
    assert quarantine(writer, STEP, DAY, ORDERS, "run", "negative") == 1
    assert len(writer.held[QUARANTINE.name]) == 1


def test_rows_that_came_since_a_process_was_killed_are_copied_before_they_are_taken_out() -> None:
    """As many as those that it had copied, and others."""
    writer = warehouse(Killed)
    with pytest.raises(KilledHereError):
        quarantine(writer, STEP, DAY, ORDERS, "run", "negative")
    writer.held[ORDERS.name] = [row(1, 5.0), row(8, -8.0)]
    writer.replace_days = super(Killed, writer).replace_days
    quarantine(writer, STEP, DAY, ORDERS, "run", "negative")
    assert [kept["order_id"] for kept in writer.held[ORDERS.name]] == [1]
    assert {json.loads(kept["row"])["order_id"] for kept in writer.held[QUARANTINE.name]} == {2, 8}


def test_a_load_that_comes_meanwhile_loses_no_row() -> None:
    writer = warehouse(LoadedMeanwhile)
    with pytest.raises(TransientError, match="was loaded while"):
        quarantine(writer, STEP, DAY, ORDERS, "run", "negative")
    assert [kept["order_id"] for kept in writer.held[ORDERS.name]] == [1, 2, 3]
    quarantine(writer, STEP, DAY, ORDERS, "run again", "negative")
    assert [kept["order_id"] for kept in writer.held[ORDERS.name]] == [1]
    aside = {kept["row"].split('"order_id": ')[1][0] for kept in writer.held[QUARANTINE.name]}
    assert aside == {"2", "3"}
