"""The project on a real server: builds from nothing, builds again without a change, cleans what is dirty."""

from __future__ import annotations

import select
import socket
import socketserver
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from streaming.ddl import ods_tables
from warehouse.client import Warehouse
from warehouse.dbt_runner import DbtError, DbtFailedError, DbtResult, DbtUnreachableError, run_dbt
from warehouse.engines import connect
from warehouse.ingestion import load_days
from warehouse.quality import run_gate
from warehouse.settings import WarehouseSettings

END = date(2026, 3, 20)
START = END - timedelta(days=9)

pytestmark = pytest.mark.integration


def build_layer(settings: WarehouseSettings, layer: str) -> DbtResult:
    return run_dbt(settings, ["build"], select=f"path:models/{layer}")


@pytest.fixture(scope="module")
def shop(dbt_settings: WarehouseSettings) -> Warehouse:
    """Ten days of the shop and telemetry tables without rows, built layer by layer."""
    warehouse = connect(dbt_settings)
    load_days(warehouse, START, END)
    for table in ods_tables(30):
        warehouse.create(table)
    for layer in ("ods", "dwd", "dws", "ads"):
        assert build_layer(dbt_settings, layer).counts()["model"] > 0
    return warehouse


def contents(warehouse: Warehouse) -> dict[str, tuple]:
    """Rows and a hash of the values of every table of the three upper layers, watermarks left out."""
    tables = warehouse.query(
        "SELECT database || '.' || name FROM system.tables WHERE database IN ('dwd', 'dws', 'ads')"
        " AND engine != 'View' ORDER BY 1"
    ).rows
    found = {}
    for (table,) in tables:
        columns = warehouse.query(
            f"SELECT arrayStringConcat(groupArray(name), ', ') FROM system.columns WHERE name != '_loaded_at'"
            f" AND type NOT LIKE '%Float%' AND database || '.' || table = '{table}'"
        ).rows[0][0]
        found[table] = warehouse.query(f"SELECT count(), sum(cityHash64({columns})) FROM {table}").rows[0]
    return found


def test_building_again_changes_nothing(shop: Warehouse, dbt_settings: WarehouseSettings) -> None:
    before = contents(shop)
    assert len(before) > 25
    assert before["ads.ads_sales_daily"][0] == 10
    run_dbt(dbt_settings, ["run"])
    assert contents(shop) == before


def test_dirt_stops_at_dwd(shop: Warehouse) -> None:
    received, keys, late = shop.query(
        "SELECT count(), uniqExact(id), countIf(toDate(created_at) < _day) FROM ods.commerce_events"
    ).rows[0]
    assert received > keys
    assert late > 0
    assert shop.query("SELECT count(), uniqExact(event_id) FROM dwd.dwd_events").rows == [(keys, keys)]
    spellings = shop.query("SELECT uniqExact(country) FROM ods.commerce_users").rows[0][0]
    assert spellings > 20
    assert shop.query("SELECT uniqExact(country) FROM dwd.dwd_users").rows[0][0] <= 12
    newest = shop.query(
        "SELECT count() FROM dwd.dwd_orders AS o INNER JOIN (SELECT order_id, argMax(status, _day) AS status"
        " FROM ods.commerce_orders GROUP BY order_id) AS n USING order_id WHERE o.status != n.status"
    ).rows
    assert newest == [(0,)]


def test_the_layers_agree_on_revenue(shop: Warehouse) -> None:
    sums = [
        round(shop.query(f"SELECT sum({column}) FROM {table}").rows[0][0], 2)
        for column, table in (
            ("if(status IN ('Cancelled', 'Returned'), 0, sale_price)", "dwd.dwd_order_items"),
            ("revenue", "dws.dws_sales_daily"),
            ("revenue", "ads.ads_sales_daily"),
            ("revenue", "ads.ads_sales_monthly"),
            ("revenue", "ads.ads_category_sales"),
            ("revenue", "ads.ads_country_returns"),
        )
    ]
    assert sums[0] > 10_000
    assert len(set(sums)) == 1


def test_the_gates_open_and_a_figure_that_a_layer_lost_closes_the_next(
    shop: Warehouse, dbt_settings: WarehouseSettings
) -> None:
    now = datetime(END.year, END.month, END.day, tzinfo=UTC) + timedelta(days=1)
    for layer in ("ods", "dwd", "dws", "ads"):
        run_gate(dbt_settings, layer, now=now).raise_on_failure()
    shop.execute("CREATE TABLE dwd.kept CLONE AS dwd.dwd_order_items")
    lost = "order_item_id = (SELECT max(order_item_id) FROM dwd.kept)"
    shop.execute(f"ALTER TABLE dwd.dwd_order_items DELETE WHERE {lost} SETTINGS mutations_sync = 1")
    try:
        for layer, figures in (("dwd", {"items"}), ("dws", {"items", "gross_revenue"})):
            failures = run_gate(dbt_settings, layer, now=now).failures
            assert {failure.expectation.rpartition(": ")[2] for failure in failures} == figures
            assert {failure.failing[0]["month"] for failure in failures} == {END.replace(day=1)}
    finally:
        shop.execute("EXCHANGE TABLES dwd.dwd_order_items AND dwd.kept")
        shop.execute("DROP TABLE dwd.kept SYNC")


def test_stock_on_hand_is_what_lies_unsold(shop: Warehouse) -> None:
    on_hand = f"SELECT sum(units_on_hand) FROM dws.dws_inventory_daily WHERE day = '{END}'"
    unsold = "SELECT count() FROM dwd.dwd_inventory_items WHERE sold_at IS NULL"
    assert shop.query(on_hand).rows[0][0] == shop.query(unsold).rows[0][0]


def test_an_incremental_day_equals_a_full_refresh(shop: Warehouse, dbt_settings: WarehouseSettings) -> None:
    load_days(shop, END + timedelta(days=1), END + timedelta(days=1))
    load_days(shop, START + timedelta(days=3), START + timedelta(days=3))
    run_dbt(dbt_settings, ["run"], select="tag:commerce")
    incremental = contents(shop)
    assert incremental["ads.ads_sales_daily"][0] == 11
    run_dbt(dbt_settings, ["run"], select="tag:commerce", full_refresh=True)
    assert contents(shop) == incremental


def insert_span(
    warehouse: Warehouse, offset: int, span: str, parent: str, operation: str, **given: str
) -> None:
    values = {"stage": "", "tool": "", "status": "ok", "team": "", "model": ""} | given
    trace, session = values.get("trace", "trace"), values.get("session", "s")
    attributes = {"team": values["team"], "run_id": values.get("run", ""), "status": values.get("ended", "")}
    listed = ", ".join(f"'tidemark.{name}': '{value}'" for name, value in attributes.items() if value)
    moment = datetime(2026, 3, 20, 10, 0, tzinfo=UTC) + timedelta(seconds=int(values.get("at", "0")))
    began = moment.strftime("%Y-%m-%d %H:%M:%S")
    warehouse.execute(
        "INSERT INTO ods.agent_executions (trace_id, span_id, parent_span_id, session_id, agent, stage,"
        " operation, model, tool, started_at, ended_at, status, input_tokens, cost_usd, attributes,"
        " _topic, _topic_partition, _offset) VALUES"
        f" ('{trace}', '{span}', '{parent}', '{session}', 'analyst', '{values['stage']}', '{operation}',"
        f" '{values['model']}', '{values['tool']}', '{began}', '{began}.500', '{values['status']}', 7,"
        f" {values.get('cost', 'NULL')}, {{{listed}}}, 't', 0, {offset})"
    )


def test_what_agents_did_is_counted_once(shop: Warehouse, dbt_settings: WarehouseSettings) -> None:
    assert shop.query("SELECT count() FROM ads.ads_agent_tool_calls_minutely").rows == [(0,)]
    insert_span(shop, 1, "root", "", "invoke_agent", team="bi")
    insert_span(shop, 2, "chat", "root", "chat", stage="sql")
    insert_span(shop, 3, "tool", "root", "execute_tool", tool="run_sql", stage="sql", status="error")
    run_dbt(dbt_settings, ["build"], select="tag:agents")
    # Sent again, as a replay does; and one that is new.
    insert_span(shop, 4, "tool", "root", "execute_tool", tool="run_sql", stage="sql", status="error")
    insert_span(shop, 5, "later", "root", "execute_tool", tool="run_sql", stage="sql", at="70")
    # What ODS has forgotten since is still in DWD.
    shop.execute("ALTER TABLE ods.agent_executions DELETE WHERE _offset < 3 SETTINGS mutations_sync = 1")
    run_dbt(dbt_settings, ["run"], select="tag:agents")
    minutes = shop.query(
        "SELECT tool, calls, failures FROM ads.ads_agent_tool_calls_minutely ORDER BY minute"
    ).rows
    assert minutes == [("run_sql", 1, 1), ("run_sql", 1, 0)]
    runs = shop.query(
        "SELECT agent, team, span_count, tool_call_count, input_tokens FROM dwd.dwd_agent_runs"
    ).rows
    assert runs == [("analyst", "bi", 4, 2, 7)]


def test_a_session_has_questions_and_a_question_has_runs(
    shop: Warehouse, dbt_settings: WarehouseSettings
) -> None:
    """Two questions of a conversation, one taken up again after its process was killed: three runs. Another
    agent's records, which give no run id, are a question each; two of them have not ended.
    """
    told: list[tuple[str, str, str, dict[str, str]]] = [
        ("t1", "talk", "r1", {"ended": "answered"}),
        ("t2", "talk", "r2", {"status": "error", "at": "10"}),
        ("t3", "talk", "r2", {"ended": "declined", "at": "20"}),
        ("t4", "other", "", {}),
        ("t5", "other", "", {}),
        # Killed: what was above its one span has not ended.
        ("t6", "other", "", {"above": "killed", "stage": "sql"}),
        # Called by another service, whose span is not sent here.
        ("t7", "called", "", {"above": "remote", "status": "error"}),
        # An agent that another one called, which was killed after: its model had been asked before.
        ("t8", "called", "", {"above": "killed"}),
    ]
    for number, (trace, session, run, more) in enumerate(told):
        root = {"trace": trace, "session": session, "run": run, **more}
        insert_span(shop, 100 + number, f"root-{trace}", more.get("above", ""), "invoke_agent", **root)
    chats = [{"model": "m", "cost": "0.25"}, {"model": "m"}, {"model": "rules"}]
    insert_span(shop, 300, "asked", "killed", "chat", trace="t8", session="called", model="rules")
    for number, chat in enumerate(chats):
        where = {"trace": "t1", "session": "talk", **chat}
        insert_span(shop, 200 + number, f"chat-{number}", "root-t1", "chat", **where)
    run_dbt(dbt_settings, ["build"], select="tag:agents")
    columns = "runs, questions, failures, unfinished, answered, declined, failed, cost_usd, unpriced_calls"
    sessions = shop.query(
        f"SELECT session_id, {columns} FROM dws.dws_agent_sessions"
        " WHERE session_id IN ('talk', 'other', 'called') ORDER BY session_id"
    ).rows
    assert sessions == [
        ("called", 2, 2, 1, 1, 0, 0, 0, 0.0, 0),
        ("other", 3, 3, 0, 1, 0, 0, 0, 0.0, 0),
        ("talk", 3, 2, 1, 0, 1, 1, 0, 0.25, 1),
    ]
    runs = shop.query(
        "SELECT trace_id, run_id, session_id FROM dwd.dwd_agent_runs"
        " WHERE session_id IN ('talk', 'other', 'called') ORDER BY trace_id"
    ).rows
    assert [(trace, run or trace, session) for trace, session, run, _ in told] == [
        (trace, run, session) for trace, run, session in runs
    ]


def test_a_failing_test_is_named_with_its_rows(shop: Warehouse, dbt_settings: WarehouseSettings) -> None:
    shop.execute(
        "INSERT INTO ods.commerce_orders (order_id, user_id, num_of_item, _day)"
        " SELECT -number, 1, 0, '2026-03-20' FROM numbers(3)"
    )
    try:
        with pytest.raises(
            DbtFailedError, match=r"test source_holds_commerce_commerce_orders\w+: 3 failing rows"
        ) as failed:
            build_layer(dbt_settings, "ods")
        assert [node.failures for node in failed.value.result.failures] == [3]
    finally:
        load_days(shop, END, END)


def test_docs_are_one_file(shop: Warehouse, dbt_settings: WarehouseSettings) -> None:
    run_dbt(dbt_settings, ["docs", "generate", "--static"])
    assert (dbt_settings.dbt_target_dir / "static_index.html").stat().st_size > 500_000
    assert dbt_settings.semantic_manifest_path.is_file()


def test_what_dbt_cannot_do_is_said(dbt_settings: WarehouseSettings, tmp_path: Path) -> None:
    with pytest.raises(DbtError, match="TIDEMARK_DBT_PROJECT_DIR"):
        run_dbt(dbt_settings.model_copy(update={"dbt_project_dir": tmp_path}), ["build"])
    with pytest.raises(DbtError, match=r"did nothing: no model of .* matches 'path:models/raw'"):
        build_layer(dbt_settings, "raw")
    away = dbt_settings.model_copy(update={"warehouse_url": "http://127.0.0.1:21399"})
    with pytest.raises(DbtUnreachableError):
        build_layer(away, "ods")


class Relay(socketserver.ThreadingTCPServer):
    """Stands before a server and goes away, with all its connections, when a request says a word."""

    daemon_threads = True

    def __init__(self, port: int, word: bytes) -> None:
        self.upstream, self.word, self.gone = ("127.0.0.1", port), word, threading.Event()
        super().__init__(("127.0.0.1", 0), Passage)


class Passage(socketserver.BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        if self.server.gone.is_set():
            return
        with socket.create_connection(self.server.upstream) as upstream:
            while True:
                readable, _, _ = select.select([self.request, upstream], [], [], 0.2)
                if self.server.gone.is_set():
                    return
                for source, sink in ((self.request, upstream), (upstream, self.request)):
                    if source in readable:
                        data = source.recv(65_536)
                        if not data:
                            return
                        if source is self.request and self.server.word in data:
                            self.server.gone.set()
                            return
                        sink.sendall(data)


def test_a_warehouse_that_goes_away_in_the_middle_is_worth_a_retry(
    shop: Warehouse, dbt_settings: WarehouseSettings
) -> None:
    port = int(dbt_settings.warehouse_url.rpartition(":")[2])
    with Relay(port, b"dwd_order_items") as relay:
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        through = dbt_settings.model_copy(
            update={"warehouse_url": f"http://127.0.0.1:{relay.server_address[1]}"}
        )
        with pytest.raises(DbtUnreachableError, match="went away"):
            build_layer(through, "dwd")
        relay.shutdown()
    build_layer(dbt_settings, "dwd")
