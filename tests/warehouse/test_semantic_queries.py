"""What the semantic layer offers and refuses, without a server."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
import sqlglot
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from warehouse.clickhouse import DIALECT
from warehouse.client import Warehouse
from warehouse.errors import SemanticError, UnknownDimensionError, UnknownMetricError
from warehouse.semantic import Filter, MetricQuery, SemanticLayer

SHOP = Path(__file__).parent / "fixtures" / "shop.yaml"
DAYS = (datetime(2026, 1, 1), datetime(2026, 2, 1))


def test_metrics_carry_their_words(shop_layer: SemanticLayer) -> None:
    revenue = shop_layer.metrics["revenue"]
    assert (revenue.label, revenue.label_zh, revenue.unit, revenue.domain) == (
        "Revenue",
        "销售额",
        "USD",
        "commerce",
    )
    assert revenue.synonyms_en == ("sales", "turnover")
    assert revenue.synonyms_zh == ("收入", "营收")
    assert (revenue.words_high, revenue.words_low) == (("best", "最高"), ("worst", "最低"))
    assert (revenue.kind, revenue.min_grain, revenue.tables) == ("simple", "day", ("dwd.dwd_order_items",))
    assert shop_layer.metrics["duration_p95"].min_grain == "millisecond"


def test_dimensions_know_where_their_values_are(shop_layer: SemanticLayer) -> None:
    country = shop_layer.dimensions["user__country"]
    assert (country.table, country.expression, country.label_zh) == ("dwd.dwd_users", "country", "国家")
    assert country.value_synonyms == {"Brasil": ("Brazil", "巴西")}
    assert shop_layer.dimensions["order_item__ordered_at"].type == "time"


def test_common_dimensions(shop_layer: SemanticLayer) -> None:
    assert "user__country" in shop_layer.common_dimensions(["revenue", "new_customers"])
    assert "product__category" not in shop_layer.common_dimensions(["revenue", "new_customers"])
    assert shop_layer.common_dimensions(["revenue", "tool_calls"]) == ()


def test_unknown_names_come_with_the_nearest(shop_layer: SemanticLayer, unique_keys: Warehouse) -> None:
    with pytest.raises(UnknownMetricError) as metric:
        shop_layer.compile(MetricQuery(("revenu",)), unique_keys)
    assert metric.value.nearest[0] == "revenue"
    with pytest.raises(UnknownDimensionError) as dimension:
        shop_layer.compile(MetricQuery(("revenue",), ("order_item__country",)), unique_keys)
    assert dimension.value.nearest == ("user__country",)
    with pytest.raises(UnknownDimensionError, match="product__category"):
        shop_layer.compile(
            MetricQuery(("new_customers",), filters=(Filter("product__category", "=", ("Jeans",)),)),
            unique_keys,
        )


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (MetricQuery(()), "at least one metric"),
        (MetricQuery(("revenue",), ("metric_time__hour",)), "metric_time__day"),
        (MetricQuery(("revenue",), ("metric_time",)), "metric_time"),
        (MetricQuery(("revenue",), order_by=(("orders", "desc"),)), "ordered by 'orders'"),
        (MetricQuery(("revenue",), time_range=(DAYS[1], DAYS[0])), "empty"),
        (
            MetricQuery(("revenue",), time_range=(datetime(2026, 1, 1, 9), datetime(2026, 1, 1, 10))),
            "whole day",
        ),
        (MetricQuery(("revenue",), filters=(Filter("user__country", "=", ("a", "b")),)), "2 values"),
        (MetricQuery(("revenue",), filters=(Filter("user__country", "in", ()),)), "0 values"),
        (MetricQuery(("revenue_month_to_date",), time_range=DAYS), "metric_time"),
    ],
)
def test_refuses_with_the_reason(
    shop_layer: SemanticLayer, query: MetricQuery, reason: str, unique_keys: Warehouse
) -> None:
    with pytest.raises(SemanticError, match=reason):
        shop_layer.compile(query, unique_keys)


def test_a_long_range_takes_in_the_day_that_it_begins_in(
    shop_layer: SemanticLayer, unique_keys: Warehouse
) -> None:
    noon = MetricQuery(("revenue",), time_range=(datetime(2026, 1, 1, 12), datetime(2026, 1, 31, 12)))
    whole = MetricQuery(("revenue",), time_range=(datetime(2026, 1, 1), datetime(2026, 2, 1)))
    assert shop_layer.compile(noon, unique_keys) == shop_layer.compile(whole, unique_keys)


def test_what_is_accumulated_keeps_the_filter_of_its_measure(tmp_path: Path, unique_keys: Warehouse) -> None:
    manifest = yaml.safe_load(SHOP.read_text(encoding="utf-8"))
    returned = "{{ Dimension('order_item__status') }} = 'Returned'"
    for name, written in (("text", returned), ("dbt", {"where_filters": [{"where_sql_template": returned}]})):
        params = {"measure": {"name": "revenue", "filter": written}}
        manifest["metrics"].append({"name": f"sent_back_{name}", "type": "cumulative", "type_params": params})
    path = tmp_path / "semantic_manifest.json"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    layer = SemanticLayer.load(path, DIALECT)
    for name in ("sent_back_text", "sent_back_dbt"):
        sql = layer.compile(MetricQuery((name,), time_range=DAYS), unique_keys)
        assert "= 'Returned'" in sql, sql


def test_a_missing_manifest_says_how_to_write_it(tmp_path: Path) -> None:
    with pytest.raises(SemanticError, match="dbt parse"):
        SemanticLayer.load(tmp_path / "semantic_manifest.json", DIALECT)
    broken = tmp_path / "broken.json"
    broken.write_text("{}", encoding="utf-8")
    with pytest.raises(SemanticError, match="MetricFlow cannot use"):
        SemanticLayer.load(broken, DIALECT)


@settings(max_examples=60)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_a_filters_value_stays_one_literal(
    shop_layer: SemanticLayer, unique_keys: Warehouse, value: str
) -> None:
    sql = shop_layer.compile(
        MetricQuery(("revenue",), filters=(Filter("order_item__status", "=", (value,)),)),
        unique_keys,
    )
    literals = [
        one.this
        for one in sqlglot.parse_one(sql, dialect="clickhouse").find_all(exp.Literal)
        if one.is_string and isinstance(one.parent, exp.EQ)
    ]
    assert literals == [value]


@pytest.mark.parametrize(
    "values", [("Complete", "Returned"), ("it's", "Complete"), ("a{b}", "c\\"), ("\ue0001\ue000", "Complete")]
)
def test_what_was_compiled_before_is_no_other_times_and_values(
    shop_layer: SemanticLayer, unique_keys: Warehouse, values: tuple[str, str]
) -> None:
    for month in (3, 4):
        days = (datetime(2026, month, 1), datetime(2026, month + 1, 1))
        status = Filter("order_item__status", "in", values)
        query = MetricQuery(("revenue",), filters=(status,), time_range=days)
        tree = sqlglot.parse_one(shop_layer.compile(query, unique_keys), dialect="clickhouse")
        texts = [one.this for one in tree.find_all(exp.Literal) if one.is_string]
        said = {*values, f"2026-0{month}-01", f"2026-0{month + 1}-01"}
        assert set(texts) == said


def test_threads_may_share_it(shop_layer: SemanticLayer, unique_keys: Warehouse) -> None:
    queries = [MetricQuery(("return_rate", "revenue"), ("user__country",), time_range=DAYS)] * 16
    with ThreadPoolExecutor(4) as pool:
        compiled = pool.map(lambda query: shop_layer.compile(query, unique_keys), queries)
        assert len(set(compiled)) == 1
