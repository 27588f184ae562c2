"""Two months of the shop's deliveries on a server of their own, and faults to be planted into them.

A fault is a small function over the rows of a table's days. A share of 0 stands for three rows; which day,
table, column, rows and sizes are the chance's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from agents.runtime.settings import AgentSettings
from agents.steward.case import FailedCheck, Failure
from agents.steward.lineage import Lineage
from agents.steward.repair import Means
from agents.steward.steward import Steward
from warehouse import Warehouse, WarehouseSettings, connect
from warehouse.ingestion import load_days
from warehouse.ingestion.schema import TABLES, Table
from warehouse_process import warehouse_server

FIRST, LAST = date(2026, 8, 1), date(2026, 9, 30)
# Of the days that are compared, those with others after them.
DAYS = [date(2026, 9, 5) + timedelta(days=n) for n in range(23)]


@pytest.fixture(scope="session")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarehouseSettings]:
    with warehouse_server(tmp_path_factory.mktemp("data")) as server:
        settings = WarehouseSettings(warehouse_url=server.url)
        writer = connect(settings)
        load_days(writer, FIRST, LAST)
        writer.close()
        yield settings


@pytest.fixture(scope="session")
def writer(delivered: WarehouseSettings) -> Iterator[Warehouse]:
    client = connect(delivered)
    yield client
    client.close()


@pytest.fixture(scope="session")
def reader(delivered: WarehouseSettings) -> Iterator[Warehouse]:
    client = connect(delivered, read_only=True)
    yield client
    client.close()


@pytest.fixture(scope="session")
def lineage(dbt_target: Path) -> Lineage:
    return Lineage.load(dbt_target / "manifest.json")


@pytest.fixture
def means(delivered: WarehouseSettings, reader: Warehouse, lineage: Lineage) -> Means:
    @contextmanager
    def writer() -> Iterator[Warehouse]:
        client = connect(delivered)
        yield client
        client.close()

    def recheck(failure: Failure, rebuild: bool) -> tuple[FailedCheck, ...]:
        return tuple(c for c in failure.checks if not c.rows_sql or reader.query(c.rows_sql).rows)

    return Means(
        reader=reader,
        lineage=lineage,
        writer=writer,
        reload=lambda client, first, last: load_days(client, first, last) and None,
        recheck=recheck,
        specs={table.name: table.spec for table in TABLES},
    )


@pytest.fixture
def steward(means: Means, tmp_path: Path) -> Callable[..., Steward]:
    """A steward of its own a call, as a new process would have; all keep their runs in one folder."""

    def open_(**more: Any) -> Steward:
        return Steward(means, AgentSettings(state_dir=tmp_path, model=""), **more)

    return open_


Rows = list[dict[str, Any]]
BY_SOURCE = {table.source: table for table in TABLES}
SHARES = (0.0, 0.1, 0.4, 1.0)


@dataclass
class Planted:
    """What was planted, as the steward should say it; `silent`: no rule can see so little of it."""

    fault: str
    table: str
    day: date | None
    share: float
    rows: int
    column: str = ""
    note: dict[str, Any] = field(default_factory=dict)


@dataclass
class Shop:
    """The days of one table that a fault may touch."""

    table: Table
    days: dict[date, Rows]
    random: Random
    share: float

    def some(self, rows: Rows) -> Rows:
        count = 3 if self.share == 0 else max(3, round(len(rows) * self.share))
        return self.random.sample(rows, min(count, len(rows)))


Plant = Callable[[Shop, date], Planted]


def _said(shop: Shop, fault: str, day: date, rows: int, column: str = "", **note: Any) -> Planted:
    return Planted(fault, shop.table.name, day, shop.share, rows, column, note)


def late(shop: Shop, day: date) -> Planted:
    """Rows of new things come one or two days after their day."""
    key = shop.table.key
    after = day + timedelta(days=shop.random.choice((1, 2)))
    new = [row for row in shop.days[day] if row["created_at"].date() == day]
    held = {row[key] for row in shop.some(new)}
    moved = [row for row in shop.days[day] if row[key] in held]
    shop.days[day] = [row for row in shop.days[day] if row[key] not in held]
    shop.days[after] += [{**row, "_day": after} for row in moved]
    return _said(shop, "late", day, len(moved), days_late=(after - day).days)


def doubled(shop: Shop, day: date) -> Planted:
    """Rows come twice, with their own load or by a second one."""
    again = [dict(row) for row in shop.some(shop.days[day])]
    second = shop.random.random() < 0.5
    for row in again if second else ():
        row["_loaded_at"] += timedelta(hours=3)
    shop.days[day] += again
    return _said(shop, "doubled", day, len(again), second_load=second)


def truncated(shop: Shop, day: date) -> Planted:
    """The end of a delivery is missing, or rows of it here and there."""
    rows = shop.days[day]
    lost = shop.some(rows) if shop.share < 1 else shop.random.sample(rows, round(len(rows) * 0.8))
    if shop.random.random() < 0.5:
        by = sorted(rows, key=lambda row: row.get("created_at") or row[shop.table.key])
        lost = by[-len(lost) :]
    gone = {id(row) for row in lost}
    shop.days[day] = [row for row in rows if id(row) not in gone]
    return _said(shop, "truncated", day, len(lost))


NUMBERS = {"order_items": ["sale_price"], "products": ["retail_price", "cost"], "inventory_items": ["cost"]}
NUMBERS |= {"orders": ["num_of_item"], "users": ["age"]}


def _number(shop: Shop) -> str:
    return shop.random.choice(NUMBERS[shop.table.source])


def negative(shop: Shop, day: date) -> Planted:
    column, chosen = _number(shop), shop.some(shop.days[day])
    for row in chosen:
        row[column] = -row[column]
    return _said(shop, "negative", day, len(chosen), column)


def wrong_unit(shop: Shop, day: date) -> Planted:
    """Cents for dollars, or dollars for cents."""
    column, factor = _number(shop), shop.random.choice((100, 100, 0.01, 1000))
    chosen = shop.some(shop.days[day])
    for row in chosen:
        row[column] = round(row[column] * factor, 4)
    return _said(shop, "wrong_unit", day, len(chosen), column, factor=factor)


def drifted(shop: Shop, day: date) -> Planted:
    """Values of another distribution: dearer by some, or of fewer kinds."""
    chosen = shop.some(shop.days[day])
    texts = {
        "users": "traffic_source",
        "events": "browser",
        "orders": "gender",
        "inventory_items": "product_department",
    }
    if (shop.table.source in texts and shop.random.random() < 0.6) or shop.table.source == "events":
        column = texts[shop.table.source]
        value = shop.random.choice(sorted({row[column] for row in shop.days[day]}))
        for row in chosen:
            row[column] = value
    else:
        column, factor = _number(shop), shop.random.choice((0.3, 0.5, 1.8, 3.0))
        for row in chosen:
            row[column] = (
                type(row[column])(row[column] * factor * shop.random.uniform(0.7, 1.3)) or row[column]
            )
    return _said(shop, "drifted", day, len(chosen), column)


REFERENCES = {
    "order_items": ["order_id", "product_id", "user_id"],
    "orders": ["user_id"],
    "events": ["user_id"],
}
REFERENCES |= {"inventory_items": ["product_id"], "products": ["distribution_center_id"]}


def broken_reference(shop: Shop, day: date) -> Planted:
    column = shop.random.choice(REFERENCES[shop.table.source])
    chosen = shop.some([row for row in shop.days[day] if row[column] is not None])
    offset = shop.random.choice((10**9, 10**12))
    for row in chosen:
        row[column] += offset
    return _said(shop, "broken_reference", day, len(chosen), column)


def time_shift(shop: Shop, day: date) -> Planted:
    """Local times taken for UTC, in one column or in all of them."""
    times = [one.name for one in shop.table.columns if one.type == "time"]
    columns = times if shop.random.random() < 0.5 else ["created_at"]
    hours = shop.random.choice((-8, -5, 2, 5, 8, 9))
    chosen = shop.some(shop.days[day])
    for row in chosen:
        for column in columns:
            if row[column] is not None:
                row[column] += timedelta(hours=hours)
    return _said(shop, "time_shift", day, len(chosen), columns[0], hours=hours)


def garbled(shop: Shop, day: date) -> Planted:
    """No fault that the steward has a name for: texts that were read in another encoding, or left out."""
    texts = {
        "users": "city",
        "events": "uri",
        "orders": "status",
        "order_items": "status",
        "inventory_items": "product_category",
    }
    column = texts[shop.table.source]
    chosen = shop.some(shop.days[day])
    empty = shop.random.random() < 0.5
    for row in chosen:
        row[column] = "" if empty else f"Ã{row[column]}¿"
    return _said(shop, "unknown", day, len(chosen), column)


def not_a_number(shop: Shop, day: date) -> Planted:
    """What a division by zero leaves."""
    column, chosen = NUMBERS[shop.table.source][0], shop.some(shop.days[day])
    for row in chosen:
        row[column] = shop.random.choice((math.nan, math.inf, -math.inf))
    return _said(shop, "unknown", day, len(chosen), column)


TIMED = ("users", "orders", "order_items", "inventory_items", "events")
KINDS: dict[str, tuple[Plant, tuple[str, ...]]] = {
    "late": (late, ("orders", "order_items", "events", "users")),
    "doubled": (doubled, TIMED),
    "truncated": (truncated, TIMED),
    "negative": (negative, tuple(NUMBERS)),
    "wrong_unit": (wrong_unit, ("order_items", "inventory_items", "products")),
    "drifted": (drifted, ("users", "events", "inventory_items", "order_items")),
    "broken_reference": (broken_reference, tuple(REFERENCES)),
    "time_shift": (time_shift, TIMED),
    "not_a_number": (not_a_number, ("order_items", "inventory_items", "products")),
    "unknown": (garbled, ("users", "events", "orders", "order_items", "inventory_items")),
}


@contextmanager
def planted(
    writer: Warehouse, days: list[date], kind: str, seed: int, share: float | None = None, source: str = ""
) -> Iterator[Planted]:
    """One fault in one table, by chance; what was there before is there again afterwards."""
    random = Random(f"{kind} {seed}")
    if kind == "healthy":
        yield Planted("healthy", "", None, 0, 0)
        return
    if kind == "missing_table":
        table = BY_SOURCE[source or random.choice(sorted(BY_SOURCE))]
        writer.execute(f"rename table {table.name} to {table.name}_kept")
        if random.random() < 0.3:
            writer.execute(f"create table {table.name} as {table.name}_kept")
        try:
            yield Planted("missing_table", table.name, None, 1, 0)
        finally:
            writer.execute(f"drop table if exists {table.name}")
            writer.execute(f"rename table {table.name}_kept to {table.name}")
        return
    plant, tables = KINDS[kind]
    table = BY_SOURCE[source or random.choice(tables)]
    day = random.choice(days)
    share = random.choice(SHARES) if share is None else share
    touched = [day + timedelta(days=n) for n in range(3)]
    held = {one: _read(writer, table, one) for one in touched}
    shop = Shop(table, {one: [dict(row) for row in rows] for one, rows in held.items()}, random, share)
    said = plant(shop, day)
    changed = [one for one in touched if shop.days[one] != held[one]]
    try:
        for one in changed:
            _write(writer, table, one, shop.days[one])
        yield said
    finally:
        for one in changed:
            _write(writer, table, one, held[one])


def _read(writer: Warehouse, table: Table, day: date) -> Rows:
    return writer.query(f"select * from {table.name} where _day = '{day}'").records()


def _write(writer: Warehouse, table: Table, day: date, rows: Rows) -> None:
    schema = table.arrow.append(pa.field("_loaded_at", pa.timestamp("us", tz="UTC")))
    writer.replace_days(table.spec, [day], pa.Table.from_pylist(rows, schema=schema))


Planting = Callable[..., AbstractContextManager[Planted]]


@pytest.fixture
def plants(writer: Warehouse) -> Planting:
    """`plants(kind, seed, share=, source=)`: one fault in one table, mended when the block ends."""
    return partial(planted, writer, DAYS)
