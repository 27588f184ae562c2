"""The clients of the platform, unmodified, against the server."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import clickhouse_connect
import pandas as pd
import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from warehouse_process import WarehouseProcess

pytestmark = pytest.mark.integration


@pytest.fixture
def client(warehouse: WarehouseProcess) -> Any:
    connected = clickhouse_connect.get_client(
        host="127.0.0.1", port=warehouse.port, username="tidemark", password="tidemark", database="ods"
    )
    connected.command(
        "create or replace table things (a Int32, s String, at DateTime64(6, 'UTC'), n Nullable(Float64), "
        "m Map(String, String)) engine = MergeTree order by a"
    )
    yield connected
    connected.close()


def test_clickhouse_connect_writes_and_reads_rows_frames_and_arrow(client: Any) -> None:
    at = dt.datetime(2026, 2, 3, 4, 5, 6, 789012, tzinfo=dt.UTC)
    rows = [(1, "é'\n", at, None, {"k": "v"}), (2, "中", at, 2.5, {})]
    summary = client.insert("things", rows, column_names=["a", "s", "at", "n", "m"])
    assert summary.written_rows == 2
    client.insert_df(
        "things", pd.DataFrame({"a": [3], "s": ["x"], "at": [at], "n": [1.0], "m": [{"q": "r"}]})
    )
    client.insert_arrow("things", pa.table({"a": pa.array([4], pa.int32()), "s": ["arrow"]}))
    found = client.query("select a, s, at, n, m from things where a <= {top:Int32} order by a", {"top": 2})
    assert [(a, s, t.replace(tzinfo=dt.UTC), n, m) for a, s, t, n, m in found.result_rows] == rows
    assert client.query_df("select a, n from things order by a")["a"].tolist() == [1, 2, 3, 4]
    assert client.query_arrow("select s from things where a = 4").to_pydict() == {"s": ["arrow"]}
    assert client.query("select * from things limit 0").column_names == ("a", "s", "at", "n", "m")
    with client.query_row_block_stream("select number from numbers(500000)") as blocks:
        assert sum(len(block) for block in blocks) == 500000


def test_clickhouse_connect_gets_the_error_even_late(client: Any) -> None:
    with pytest.raises(DatabaseError, match="UNKNOWN_TABLE") as missing:
        client.query("select * from nope")
    assert missing.value.code == 60
    with pytest.raises(Exception, match="395"):
        client.query("select throwIf(number = 3000000) from numbers(4000000)")
    late = client.query_row_block_stream("select throwIf(number = 3000000) from numbers(4000000)")
    with late as blocks, pytest.raises(Exception, match="395"):
        list(blocks)


def test_a_days_partition_is_replaced_as_a_whole(client: Any) -> None:
    for name in ("days", "days_new"):
        client.command(
            f"create or replace table {name} (d Date, v Int8) engine = MergeTree partition by d order by v"
        )
    client.command("insert into days values ('2026-01-01', 1), ('2026-01-02', 1)")
    client.command("insert into days_new values ('2026-01-02', 2), ('2026-01-02', 3)")
    for _ in range(2):
        client.command("alter table days replace partition '2026-01-02' from days_new")
    assert client.query("select d, groupArray(v) from days group by d order by d").result_rows == [
        (dt.date(2026, 1, 1), [1]),
        (dt.date(2026, 1, 2), [2, 3]),
    ]


def test_a_token_stops_the_second_copy_of_a_batch(client: Any) -> None:
    client.command(
        "create or replace table once (a Int8) engine = MergeTree order by a "
        "settings non_replicated_deduplication_window = 100"
    )
    for _ in range(2):
        client.insert(
            "once", [[1]], column_names=["a"], settings={"insert_deduplication_token": "topic-0-17"}
        )
    assert client.command("select count() from once") == 1


def test_sqlalchemy_and_great_expectations(client: Any, warehouse: WarehouseProcess) -> None:
    client.insert(
        "things", [(1, "x", dt.datetime(2026, 1, 1), None, {})], column_names=["a", "s", "at", "n", "m"]
    )
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    source = context.data_sources.add_sql(
        "w", connection_string=f"clickhousedb://reader:reader@127.0.0.1:{warehouse.port}/ods"
    )
    batch = (
        source.add_table_asset("things", table_name="things")
        .add_batch_definition_whole_table("all")
        .get_batch()
    )
    assert batch.validate(gx.expectations.ExpectTableRowCountToEqual(value=1)).success
    assert batch.validate(gx.expectations.ExpectColumnValuesToNotBeNull(column="s")).success
    assert not batch.validate(gx.expectations.ExpectColumnValuesToNotBeNull(column="n")).success
    assert batch.validate(gx.expectations.ExpectColumnValuesToBeUnique(column="a")).success


def test_airflows_hook(warehouse: WarehouseProcess, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_WAREHOUSE_TEST", f"clickhouse://tidemark:tidemark@127.0.0.1:{warehouse.port}/ods"
    )
    from airflow.providers.clickhousedb.hooks.clickhouse import ClickHouseHook

    hook = ClickHouseHook(clickhouse_conn_id="warehouse_test")
    assert hook.get_records("select 1, 'é'") == [(1, "é")]
    hook.run("insert into things (a) values (9)")
    assert hook.get_first("select a from things where a = %(a)s", parameters={"a": 9})[0] == 9


def test_dbt_builds_tables_and_increments(tmp_path: Path, warehouse: WarehouseProcess) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (tmp_path / "dbt_project.yml").write_text("{name: probe, version: 1.0.0, profile: probe}")
    (tmp_path / "profiles.yml").write_text(
        "{probe: {target: w, outputs: {w: {type: clickhouse, driver: http, host: 127.0.0.1, user: tidemark, "
        f"password: tidemark, port: {warehouse.port}, schema: dwd, threads: 4, use_lw_deletes: false}}}}}}}}"
    )
    (models / "probe_table.sql").write_text(
        "{{ config(materialized='table') }} select number as id from numbers(10)"
    )
    (models / "probe_increment.sql").write_text(
        "{{ config(materialized='incremental', unique_key='id', incremental_strategy='delete+insert', "
        "order_by='id') }} select id + {{ 5 if is_incremental() else 0 }} as id from {{ ref('probe_table') }}"
    )
    (models / "probe_view.sql").write_text(
        "{{ config(materialized='view') }} select count() as n from {{ ref('probe_increment') }}"
    )
    (models / "probe.yml").write_text(
        "{models: [{name: probe_increment, columns: [{name: id, data_tests: [unique, not_null]}]}]}"
    )
    twice = (
        "import sys; from dbt.cli.main import dbtRunner\n"
        "for _ in range(2):\n"
        "    result = dbtRunner().invoke(['--quiet', 'build', '--profiles-dir', '.'])\n"
        "    if not result.success: sys.exit(1)\n"
    )
    environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", twice],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert warehouse.sql("select n from dwd.probe_view") == "15"
