"""Which metrics add up over what, read from their definitions alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest

from warehouse.clickhouse import DIALECT
from warehouse.semantic import Additivity, SemanticLayer

SHOP = Path(__file__).parent / "fixtures" / "shop.yaml"
ADDITIVE, DISTINCT, NONE = Additivity("additive"), Additivity("distinct"), Additivity("none")
RUNNING = Additivity("semi-additive", ("metric_time", "order_item__ordered_at"))
LEVEL = Additivity("semi-additive", ("metric_time", "shelf__counted_on"))
MODEL = {
    "name": "shelves",
    "node_relation": {"schema_name": "dwd", "alias": "shelves"},
    "defaults": {"agg_time_dimension": "counted_on"},
    "primary_entity": "shelf",
    "entities": [{"name": "product", "type": "foreign", "expr": "product_id"}],
    "dimensions": [
        {"name": "counted_on", "type": "time", "type_params": {"time_granularity": "day"}},
        {"name": "place", "type": "categorical"},
    ],
    "measures": [
        {"name": "units", "agg": "sum", "non_additive_dimension": {"name": "counted_on"}},
        {
            "name": "newest_units",
            "agg": "sum",
            "expr": "units",
            "non_additive_dimension": {
                "name": "counted_on",
                "window_choice": "max",
                "window_groupings": ["product"],
            },
        },
        {"name": "shelves_seen", "agg": "count_distinct", "expr": "shelf_id"},
    ],
}
SIMPLE = {
    "units": {"measure": "units"},
    "newest_units": {"measure": "newest_units"},
    "shelves_seen": {"measure": "shelves_seen"},
    "filled": {"measure": {"name": "revenue", "fill_nulls_with": 0}},
    "filled_back": {"measure": {"name": "returned_revenue", "fill_nulls_with": 0}},
    "filled_with_five": {"measure": {"name": "revenue", "fill_nulls_with": 5}},
    "orders_to_date": {"measure": "orders"},
}


def derived(expression: str, *inputs: str | dict[str, str]) -> dict[str, Any]:
    metrics = [{"name": one} if isinstance(one, str) else one for one in inputs]
    return {"expr": expression, "metrics": metrics}


BEFORE = {"name": "filled", "alias": "before", "offset_window": "1 month"}
START = {"name": "filled", "alias": "before", "offset_to_grain": "month"}
RETURNED = {"name": "revenue", "alias": "back", "filter": "{{ Dimension('order_item__status') }} = 'x'"}
DERIVED = {
    "sum_of_sums": derived("filled + filled_back", "filled", "filled_back"),
    "difference": derived("revenue - returned_revenue", "revenue", "returned_revenue"),
    "weighted": derived("2 * (filled - filled_back / 4) * 0.5", "filled", "filled_back"),
    "negated": derived("-revenue", "revenue"),
    "filtered": derived("revenue - back", "revenue", RETURNED),
    "product_of_two": derived("filled * filled_back", "filled", "filled_back"),
    "quotient": derived("filled / filled_back", "filled", "filled_back"),
    "inverse": derived("1 / filled", "filled"),
    "with_a_constant": derived("filled + 10", "filled"),
    "a_function": derived("greatest(filled, 0)", "filled"),
    "a_case": derived("case when filled > 9 then filled else 0 end", "filled"),
    "nulls_out": derived("filled - nullif(filled_back, 0)", "filled", "filled_back"),
    "unreadable": derived("filled +* 2", "filled"),
    "of_distinct": derived("orders + revenue", "orders", "revenue"),
    "of_mean": derived("average_price - revenue", "average_price", "revenue"),
    "of_derived": derived("difference + revenue", "difference", "revenue"),
    "of_level": derived("units + filled", "units", "filled"),
    "since_last_month": derived("filled - before", "filled", BEFORE),
    "since_the_first": derived("filled - before", "filled", START),
    "mean_unused": derived("revenue * 2", "revenue", "average_price"),
}


@pytest.fixture(scope="module")
def layer() -> SemanticLayer:
    manifest = yaml.safe_load(SHOP.read_text(encoding="utf-8"))
    manifest["semantic_models"].append(MODEL)
    manifest["metrics"] += [
        *({"name": name, "type": "simple", "type_params": params} for name, params in SIMPLE.items()),
        *({"name": name, "type": "derived", "type_params": params} for name, params in DERIVED.items()),
        {"name": "running_orders", "type": "cumulative", "type_params": {"measure": "orders"}},
    ]
    return SemanticLayer(parse_manifest_from_dbt_generated_manifest(json.dumps(manifest)), DIALECT)


@pytest.mark.parametrize(
    ("metric", "expected", "zero"),
    [
        ("revenue", ADDITIVE, True),
        ("order_items", ADDITIVE, True),
        ("returned_items", ADDITIVE, True),
        ("orders", DISTINCT, True),
        ("average_price", NONE, False),
        ("largest_price", NONE, False),
        ("median_price", NONE, False),
        ("duration_p95", NONE, False),
        ("return_rate", NONE, False),
        ("filled", ADDITIVE, True),
        ("filled_with_five", NONE, False),
        ("new_customers_filled", ADDITIVE, True),
        ("shelves_seen", DISTINCT, True),
        ("units", LEVEL, False),
        ("newest_units", LEVEL, False),
        ("revenue_all_time", RUNNING, True),
        ("revenue_month_to_date", RUNNING, True),
        ("revenue_seven_days", RUNNING, True),
        ("running_orders", DISTINCT, True),
        ("sum_of_sums", ADDITIVE, True),
        # Where only one of the two has rows, the other is unknown to SQL, and so is the difference.
        ("difference", ADDITIVE, False),
        ("weighted", ADDITIVE, True),
        ("negated", ADDITIVE, False),
        ("filtered", ADDITIVE, False),
        ("product_of_two", NONE, False),
        ("quotient", NONE, False),
        ("inverse", NONE, False),
        ("with_a_constant", NONE, False),
        ("a_function", NONE, False),
        ("a_case", NONE, False),
        ("nulls_out", NONE, False),
        ("unreadable", NONE, False),
        ("of_distinct", DISTINCT, False),
        ("of_mean", NONE, False),
        ("of_derived", ADDITIVE, False),
        ("of_level", LEVEL, False),
        ("since_last_month", RUNNING, False),
        ("since_the_first", RUNNING, False),
        ("mean_unused", ADDITIVE, False),
        ("revenue_growth", NONE, False),
    ],
)
def test_additivity_follows_from_the_definition(
    layer: SemanticLayer, metric: str, expected: Additivity, zero: bool
) -> None:
    assert layer.metrics[metric].additivity == expected
    assert layer.metrics[metric].zero_without_rows is zero


def test_what_is_summed_over_decides() -> None:
    assert ADDITIVE.holds_over(["metric_time__day", "user__country"])
    assert LEVEL.holds_over(["shelf__place", "product__category"])
    assert LEVEL.holds_over([])
    for item in ("metric_time__month", "shelf__counted_on__day"):
        assert not LEVEL.holds_over(["shelf__place", item])
    assert LEVEL.holds_over(["product__launched_on__month"])
    assert not DISTINCT.holds_over(["user__country"])
    assert not NONE.holds_over(["user__country"])
