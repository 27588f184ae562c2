"""A museum that is not like ours: each figure is that of SQL written by hand, or is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from metricflow.engine.metricflow_engine import MetricFlowEngine
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

from bikes import FIXTURES
from warehouse.clickhouse import DIALECT
from warehouse.client import Warehouse
from warehouse.dbt_runner import run_dbt
from warehouse.engines import connect
from warehouse.errors import SemanticError
from warehouse.semantic import Filter, MetricQuery, SemanticLayer
from warehouse.settings import WarehouseSettings
from warehouse_process import warehouse_server

pytestmark = pytest.mark.integration

Museum = tuple[SemanticLayer, Warehouse]

TICKETS = "analytics.tickets_raw t"
CITIES = (
    f"{TICKETS} left join analytics.sites_raw s using site_id left join analytics.cities_raw c using city_id"
)
SALES = "sum(t.price * t.quantity)"
TEN = ("group 10%",)
# metrics, groups, filters, and SQL that says the same
FIGURES = [
    (("sales",), (), (), f"select {SALES} from {TICKETS}"),
    (("tickets_sold", "sales"), (), (), f"select sum(t.quantity), {SALES} from {TICKETS}"),
    (("sales",), ("site__city__country",), (), f"select c.country, {SALES} from {CITIES} group by 1"),
    (("buyers",), ("site__name",), (), f"select s.name, uniqExact(t.visitor_id) from {CITIES} group by 1"),
    (
        ("sales",), ("site__name",), (Filter("site__city__name", "in", ("Gent", "Brugge")),),
        f"select s.name, {SALES} from {CITIES} where c.name in ('Gent', 'Brugge') group by 1",
    ),
    (
        ("tickets",), (), (Filter("site__city__country", "=", ("Belgium",)),),
        f"select count() from {CITIES} where c.country = 'Belgium'",
    ),
    (("belgian_sales",), (), (), f"select {SALES} from {CITIES} where c.country = 'Belgium'"),
    (("group_pct",), (), (), f"select countIf(t.note = 'group 10%') / count() from {TICKETS}"),
    (
        ("tickets",), (), (Filter("ticket__note", "=", TEN),),
        f"select countIf(t.note = 'group 10%') from {TICKETS}",
    ),
    (("sales_per_ticket",), (), (), f"select toFloat64({SALES}) / count() from {TICKETS}"),
    # Tickets without a day are in the total, and in a row without a month.
    (
        ("tickets",), ("metric_time__month",), (),
        f"select toStartOfMonth(t.sold_on), count() from {TICKETS} group by 1",
    ),
    (
        ("sales_this_month",), ("metric_time__day",), (),
        f"select c.day, {SALES} from analytics.calendar c join {TICKETS} "
        "on toStartOfMonth(t.sold_on) = toStartOfMonth(c.day) where t.sold_on <= c.day group by 1",
    ),
    (
        ("visits", "tickets"), ("site__name",), (),
        "select s.name, v.n, t.n from analytics.sites_raw s left join (select site_id, count() n from "
        "analytics.visits_raw group by 1) v using site_id left join (select site_id, count() n from "
        "analytics.tickets_raw group by 1) t using site_id",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def museum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Museum]:
    with warehouse_server(tmp_path_factory.mktemp("data")) as server:
        settings = WarehouseSettings(
            warehouse_url=server.url,
            warehouse_password="tidemark",
            dbt_project_dir=FIXTURES / "museum",
            dbt_target_dir=tmp_path_factory.mktemp("target"),
        )
        run_dbt(settings, ["build"])
        client = connect(settings)
        yield SemanticLayer.load(settings.semantic_manifest_path, DIALECT), client
        client.close()


def normal(rows: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    told = [tuple(round(float(v), 6) if hasattr(v, "__float__") else str(v) for v in row) for row in rows]
    return sorted(told, key=str)


@pytest.mark.parametrize(("metrics", "by", "where", "by_hand"), FIGURES)
def test_a_figure_is_that_of_sql_by_hand(
    museum: Museum,
    metrics: tuple[str, ...],
    by: tuple[str, ...],
    where: tuple[Filter, ...],
    by_hand: str,
) -> None:
    layer, warehouse = museum
    found = warehouse.query(layer.compile(MetricQuery(metrics, by, where), warehouse))
    expected = warehouse.query(by_hand)
    assert expected.rows
    # The spine has days before the first ticket, on which nothing runs yet.
    rows = [row for row in found.rows if row[-1] is not None]
    assert normal(rows) == normal(expected.rows)


@pytest.mark.parametrize("metric", ["sales", "visits", "visit_to_ticket"])
def test_what_a_repeated_key_would_count_twice_is_refused(museum: Museum, metric: str) -> None:
    layer, warehouse = museum
    with pytest.raises(SemanticError, match="visitor_id = 5 is there 2 times"):
        layer.compile(MetricQuery((metric,), ("visitor__name",)), warehouse)


def test_dimensions_that_are_found_once_are_those_that_metricflow_finds_for_each(museum: Museum) -> None:
    layer, _ = museum
    engine = MetricFlowEngine(SemanticManifestLookup(layer.manifest), DIALECT.semantic)
    for metric in engine.list_metrics():
        names = dict.fromkeys(one.dunder_name for one in metric.dimensions if one.semantic_model_reference)
        assert layer.metrics[metric.name].dimensions == tuple(names), metric.name
