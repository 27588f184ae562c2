"""The gates: each suite is one, and a gate names what failed and on which rows, on the real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from warehouse import PermanentError, TransientError, WarehouseSettings, connect
from warehouse.quality import GateFailedError, Suite, SuiteError, load_suite, run_gate


@pytest.mark.parametrize("layer", ["ods", "dwd", "dws"])
def test_each_suite_checks_its_own_layer(layer: str) -> None:
    suite = load_suite(layer)
    assert suite.layer == layer
    assert {table.database for table in suite.tables} == {layer}
    statements = [rows.sql for table in suite.tables for rows in table.no_rows]
    assert all("{batch}" in sql for sql in statements)


def test_a_gate_that_does_not_exist_says_which_do() -> None:
    with pytest.raises(SuiteError, match=r"'ads'.*dwd, dws, ods"):
        load_suite("ads")


def test_a_misspelt_suite_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ods.yml").write_text("layer: ods\ntables:\n  - {table: ods.t, key: [id], expectation: []}\n")
    with pytest.raises(SuiteError, match="expectation"):
        load_suite("ods", tmp_path)


def test_a_table_of_another_layer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ods.yml").write_text("layer: ods\ntables:\n  - {table: dwd.t, key: [id]}\n")
    with pytest.raises(SuiteError, match=r"not tables of layer ods: dwd\.t"):
        load_suite("ods", tmp_path)


def test_a_warehouse_that_is_away_is_worth_a_retry() -> None:
    with pytest.raises(TransientError):
        run_gate(WarehouseSettings(warehouse_url="http://127.0.0.1:9"), "ods")


@pytest.fixture(scope="module")
def orders(warehouse_settings: WarehouseSettings) -> Iterator[WarehouseSettings]:
    warehouse = connect(warehouse_settings)
    warehouse.execute("create database if not exists gate engine = Atomic")
    warehouse.execute(
        "create table gate.orders engine = MergeTree order by order_id as select number as order_id, "
        "if(number = 7, 'Lost', 'Complete') as status, if(number = 3, -1., 10.) as price from numbers(20)"
    )
    yield warehouse_settings
    warehouse.execute("drop database gate sync")
    warehouse.close()


def suite_of(*expectations: dict[str, object], sql: str = "") -> Suite:
    table = {
        "table": "gate.orders",
        "key": ["order_id"],
        "expectations": expectations,
        "no_rows": [{"name": "no order is cheap", "sql": sql}] if sql else [],
    }
    return Suite.model_validate({"layer": "gate", "tables": [table]})


@pytest.mark.integration
def test_a_gate_opens_on_good_rows(orders: WarehouseSettings) -> None:
    suite = suite_of(
        {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 20, "max_value": 20}},
        {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "order_id"}},
        {"type": "expect_compound_columns_to_be_unique", "kwargs": {"column_list": ["order_id", "status"]}},
        sql="select order_id from {batch} where price > 10",
    )
    result = run_gate(orders, "gate", suite)
    result.raise_on_failure()
    assert [outcome.passed for outcome in result.outcomes] == [True] * 4


@pytest.mark.integration
def test_a_closed_gate_names_each_expectation_and_its_rows(orders: WarehouseSettings) -> None:
    suite = suite_of(
        {
            "type": "expect_column_values_to_be_in_set",
            "kwargs": {"column": "status", "value_set": ["Complete"]},
        },
        {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 100}},
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "price"}},
        sql="select order_id, price from {batch} where price < 0",
    )
    result = run_gate(orders, "gate", suite)
    assert len(result.failures) == 3
    with pytest.raises(GateFailedError) as refused:
        result.raise_on_failure()
    message = str(refused.value)
    assert "refused 3 of 4" in message
    assert "1 of 20 rows, such as order_id=7, status='Lost'" in message
    assert "found 20" in message
    assert "no order is cheap: 1 rows, such as order_id=3, price=-1.0" in message


@pytest.mark.integration
def test_what_cannot_be_checked_is_an_error_not_a_pass(orders: WarehouseSettings) -> None:
    nowhere = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "nowhere"}}
    with pytest.raises(PermanentError, match="nowhere"):
        run_gate(orders, "gate", suite_of(nowhere))
    missing = Suite.model_validate({"layer": "gate", "tables": [{"table": "gate.items", "key": ["id"]}]})
    with pytest.raises(PermanentError, match=r"cannot find gate\.items"):
        run_gate(orders, "gate", missing)
