"""A real warehouse server and the shop's tables, for the tests of this room."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from warehouse.clickhouse import DIALECT
from warehouse.client import Warehouse
from warehouse.engines import connect
from warehouse.semantic import SemanticLayer
from warehouse.settings import WarehouseSettings
from warehouse.testing import FakeWarehouse
from warehouse_process import warehouse_server

SHOP = Path(__file__).parent / "fixtures" / "shop.yaml"

# 40 users of 4 countries (one without), 6 products of 3 categories, up to 600 items over 100 days of 2026,
# 200 spans of one hour. Brasil has nothing before March, so that one period of a comparison lacks it.
TABLES = """
CREATE TABLE dwd.dwd_users (user_id Int64, signed_up_at DateTime, country Nullable(String),
    traffic_source String) ENGINE = MergeTree ORDER BY user_id AS
SELECT number, toDateTime('2026-01-01', 'UTC') + INTERVAL number * 3 DAY,
    [NULL, 'China', 'Brasil', 'it\\'s {{ odd }}'][number % 4 + 1], ['Search', 'Email'][number % 2 + 1]
FROM numbers(40);
CREATE TABLE dwd.dwd_products (product_id Int64, category String) ENGINE = MergeTree ORDER BY product_id AS
SELECT number, ['Jeans', 'Socks', 'Coats'][number % 3 + 1] FROM numbers(6);
CREATE TABLE dwd.dwd_order_items (order_item_id Int64, order_id Int64, user_id Int64, product_id Int64,
    created_at DateTime64(6, 'UTC'), sale_price Float64, status String)
ENGINE = MergeTree ORDER BY order_item_id AS
SELECT number, intDiv(number, 2), cityHash64(number) % 40 AS user, number % 7,
    toDateTime64('2026-01-01 00:00:00', 6, 'UTC') + INTERVAL (number * 4 + 1) HOUR,
    10 + number % 13, ['Complete', 'Returned', 'Complete', 'Shipped'][number % 4 + 1]
FROM numbers(600) WHERE NOT (user % 4 = 2 AND number < 354);
CREATE TABLE dwd.dwd_spans (span_id String, started_at DateTime64(6, 'UTC'), tool String, stage String,
    status String, duration_ms Float64) ENGINE = MergeTree ORDER BY started_at AS
SELECT toString(number), toDateTime64('2026-04-10 10:00:00', 6, 'UTC') + INTERVAL number * 18500 MILLISECOND,
    ['run_sql', 'chart'][number % 2 + 1], ['sql', 'chart', 'document'][number % 3 + 1],
    if(number % 9 = 0, 'error', 'ok'), number * number % 997
FROM numbers(200);
CREATE VIEW dws.time_spine AS SELECT toDate('2025-12-01') + number AS day FROM numbers(200)
"""


@pytest.fixture(scope="session")
def warehouse_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarehouseSettings]:
    """Settings that point at a server of this test run alone."""
    with warehouse_server(tmp_path_factory.mktemp("warehouse_server")) as server:
        yield WarehouseSettings(warehouse_url=server.url)


@pytest.fixture(scope="session")
def shop(warehouse_settings: WarehouseSettings) -> Warehouse:
    """The writer's client of a warehouse that holds the shop's tables."""
    client = connect(warehouse_settings)
    for database in ("ods", "dwd", "dws", "ads"):
        client.execute(f"CREATE DATABASE IF NOT EXISTS {database} ENGINE = Atomic")
    for statement in TABLES.split(";\n"):
        client.execute(statement)
    return client


@pytest.fixture(scope="session")
def shop_layer(tmp_path_factory: pytest.TempPathFactory) -> SemanticLayer:
    """The shop's semantic layer, read from a manifest as dbt writes it."""
    path = tmp_path_factory.mktemp("manifest") / "semantic_manifest.json"
    path.write_text(json.dumps(yaml.safe_load(SHOP.read_text(encoding="utf-8"))), encoding="utf-8")
    return SemanticLayer.load(path, DIALECT)


@pytest.fixture(scope="session")
def unique_keys() -> Warehouse:
    """For what is compiled and never run: asked for a repeated key, it has none."""
    return FakeWarehouse(answers={"repeated_times": []})
