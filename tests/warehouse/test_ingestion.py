"""The sample is a function of seed and day, its rows make sense, and a day loaded twice changes nothing."""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.client import Warehouse
from warehouse.errors import PermanentError
from warehouse.ingestion import load_days
from warehouse.ingestion.delivery import deliveries
from warehouse.ingestion.randomness import day_number
from warehouse.ingestion.schema import TABLES

DAY = date(2026, 3, 10)


def made(seed: int, start: date, end: date, *, opening: bool = False) -> dict[str, pa.Table]:
    number = day_number(start), day_number(end)
    return {table.source: rows for table, rows in deliveries(seed, *number, opening=opening)}


def of_day(rows: pa.Table, day: date) -> pa.Table:
    return rows.filter(pc.equal(rows["_day"], pa.scalar(day)))


@settings(max_examples=6)
@given(
    seed=st.integers(0, 2**31),
    day=st.dates(date(2024, 1, 1), date(2032, 1, 1)),
    before=st.integers(0, 5),
    after=st.integers(0, 5),
)
def test_a_day_is_the_same_in_whatever_span_it_is_made(seed: int, day: date, before: int, after: int) -> None:
    alone = made(seed, day, day)
    among = made(seed, day - timedelta(days=before), day + timedelta(days=after))
    for source, rows in alone.items():
        assert of_day(among[source], day).equals(rows), source


def test_another_seed_is_another_shop() -> None:
    assert not made(1, DAY, DAY)["orders"].equals(made(2, DAY, DAY)["orders"])


@pytest.fixture(scope="module")
def month() -> dict[str, pa.Table]:
    return made(7, DAY, DAY + timedelta(days=29), opening=True)


def test_whatever_is_referred_to_has_been_delivered(month: dict[str, pa.Table]) -> None:
    new = pc.greater_equal(
        month["order_items"]["created_at"], pa.scalar(DAY).cast(pa.timestamp("us", tz="UTC"))
    )
    items = month["order_items"].filter(new)
    for column, source, key in (
        ("user_id", "users", "id"),
        ("product_id", "products", "id"),
        ("inventory_item_id", "inventory_items", "id"),
        ("order_id", "orders", "order_id"),
    ):
        assert pc.all(pc.is_in(items[column], month[source][key])).as_py(), column


def test_an_order_only_moves_forward(month: dict[str, pa.Table]) -> None:
    rank = {"Processing": 0, "Shipped": 1, "Complete": 2, "Cancelled": 3, "Returned": 3}
    states: dict[int, int] = {}
    for order, status in zip(*(month["orders"][c].to_pylist() for c in ("order_id", "status")), strict=True):
        assert rank[status] >= states.get(order, 0)
        states[order] = rank[status]
    assert set(states.values()) == {0, 1, 2, 3}


def test_a_state_knows_nothing_of_later_days(month: dict[str, pa.Table]) -> None:
    orders = month["orders"]
    for column in ("created_at", "shipped_at", "delivered_at", "returned_at"):
        happened = pc.fill_null(orders[column].cast(pa.date32()), pa.scalar(date(1970, 1, 1)))
        assert pc.all(pc.less_equal(happened, orders["_day"])).as_py(), column


def test_the_dirt_is_there_for_dwd_to_clean(month: dict[str, pa.Table]) -> None:
    countries = set(month["users"]["country"].to_pylist())
    assert {"China", "USA", "Brazil"} <= countries
    events = month["events"]
    assert len(events) > len(pc.unique(events["id"]))
    assert pc.any(pc.less(events["created_at"].cast(pa.date32()), events["_day"])).as_py()


@pytest.fixture
def warehouse(shop: Warehouse) -> Warehouse:
    """The writer's client, and no table of the sample."""
    for table in TABLES:
        shop.execute(f"DROP TABLE IF EXISTS {table.name}")
    return shop


def test_a_span_that_is_none_is_refused(warehouse: Warehouse) -> None:
    with pytest.raises(PermanentError, match="no days from 2026-03-10 to 2026-03-09"):
        load_days(warehouse, DAY, DAY - timedelta(days=1))


def contents(warehouse: Warehouse) -> dict[str, list[tuple]]:
    columns = {table.name: ", ".join(f"`{column.name}`" for column in table.columns) for table in TABLES}
    return {
        name: warehouse.query(
            f"SELECT _day, count(), groupBitXor(cityHash64({listed})), sum(cityHash64({listed}) % 1000003)"
            f" FROM {name} GROUP BY _day ORDER BY _day"
        ).rows
        for name, listed in columns.items()
    }


def test_a_day_loaded_twice_changes_nothing_and_a_range_equals_its_days(warehouse: Warehouse) -> None:
    end = DAY + timedelta(days=2)
    first = load_days(warehouse, DAY, end)
    whole = contents(warehouse)
    assert sum(row[1] for rows in whole.values() for row in rows) == first.total > 0
    for offset in (1, 2, 0):
        day = DAY + timedelta(days=offset)
        load_days(warehouse, day, day)
        assert contents(warehouse) == whole


def test_what_a_day_no_longer_delivers_goes(warehouse: Warehouse) -> None:
    load_days(warehouse, DAY, DAY)
    day = DAY + timedelta(days=1)
    warehouse.execute(
        f"INSERT INTO ods.commerce_distribution_centers SELECT * REPLACE (toDate('{day}') AS _day)"
        " FROM ods.commerce_distribution_centers LIMIT 1"
    )
    load_days(warehouse, day, day)
    held = warehouse.query("SELECT DISTINCT toString(_day) FROM ods.commerce_distribution_centers").rows
    assert held == [(str(DAY),)]
    stages = warehouse.query(
        "SELECT count() FROM system.tables WHERE database = 'ods' AND name LIKE '%\\_\\_%'"
    ).rows
    assert stages == [(0,)]
