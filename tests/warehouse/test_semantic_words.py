"""What a project does not say of its metrics: inferred, laid over by tidemark.yml, else unknown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agents.analyst.questions import project_list
from warehouse.clickhouse import DIALECT
from warehouse.errors import SettingsError
from warehouse.semantic import SemanticLayer

MEASURES = (
    {"name": "rows", "agg": "count", "expr": "id"},
    {"name": "people", "agg": "count_distinct", "expr": "person"},
    {"name": "late", "agg": "sum_boolean", "expr": "is_late"},
    {"name": "money", "agg": "sum", "expr": "amount"},
    {"name": "weight", "agg": "sum", "expr": "weight"},
    {"name": "wait", "agg": "average", "expr": "wait"},
)


def simple(name: str, measure: str, **said: Any) -> dict[str, Any]:
    return {"name": name, "type": "simple", "type_params": {"measure": {"name": measure}}, **said}


def ratio(name: str, above: str, below: str, **said: Any) -> dict[str, Any]:
    params = {"numerator": {"name": above}, "denominator": {"name": below}}
    return {"name": name, "type": "ratio", "type_params": params, **said}


def derived(name: str, expr: str, *metrics: str) -> dict[str, Any]:
    inputs = [{"name": one} for one in metrics]
    return {"name": name, "type": "derived", "type_params": {"expr": expr, "metrics": inputs}}


POUNDS = {"config": {"meta": {"currency": "GBP"}}}
LATE = {"filter": "{{ Dimension('order__kind') }} = 'late'"}
METRICS = (
    simple("orders", "rows", label="Orders"),
    simple("late_orders", "rows", label="Late orders", **LATE),
    simple("customers", "people"),
    simple("delays", "late"),
    simple("paid", "money", label="Paid", **POUNDS),
    simple("billed", "money", label="Billed", **POUNDS),
    simple("weight", "weight"),
    simple("wait", "wait"),
    ratio("lateness", "late_orders", "orders"),
    ratio("orders_per_customer", "orders", "customers"),
    ratio("repeat_rate", "customers", "orders"),
    ratio("exchange_rate", "weight", "wait"),
    ratio("collected", "paid", "billed", label="Paid, % of billed"),
    ratio("wait_pct", "wait", "weight"),
    ratio("paid_share", "paid", "orders"),
    ratio("paid_per_order", "paid", "orders"),
    ratio("weight_per_order", "weight", "orders"),
    derived("open", "billed - paid", "billed", "paid"),
    derived("squared", "paid * paid", "paid"),
    derived("mixed", "paid + orders", "paid", "orders"),
    {
        "name": "paid_so_far", "type": "cumulative",
        "type_params": {"measure": {"name": "money"}}, "config": {"meta": {"currency": "GBP"}},
    },
    simple("weighed", "weight", label="重量"),
)  # fmt: skip
UNITS = {
    "orders": "count", "late_orders": "count", "customers": "count", "delays": "count",
    "paid": "GBP", "billed": "GBP", "weight": "", "wait": "",
    # Part of the same, or called a share; a count of one thing by another is neither.
    "lateness": "ratio", "collected": "ratio", "wait_pct": "ratio", "repeat_rate": "ratio",
    "orders_per_customer": "", "exchange_rate": "",
    # Whatever it is called, money by a count is no share.
    "paid_share": "GBP", "paid_per_order": "GBP", "weight_per_order": "",
    "open": "GBP", "squared": "", "mixed": "", "paid_so_far": "GBP",
}  # fmt: skip


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    model = {
        "name": "orders",
        "node_relation": {"schema_name": "analytics", "alias": "orders"},
        "defaults": {"agg_time_dimension": "day"},
        "entities": [{"name": "order", "type": "primary", "expr": "id"}],
        "dimensions": [
            {"name": "day", "type": "time", "type_params": {"time_granularity": "day"}},
            {"name": "kind", "type": "categorical"},
        ],
        "measures": list(MEASURES),
    }
    spine = {
        "node_relation": {"schema_name": "analytics", "alias": "days"},
        "primary_column": {"name": "day", "time_granularity": "day"},
    }
    saved = {
        "name": "board",
        "label": "For the board",
        "query_params": {
            "metrics": ["orders", "paid"],
            "group_by": ["TimeDimension('metric_time', 'week')", "Dimension('order__kind')"],
            "limit": 5,
        },
    }
    path = tmp_path / "semantic_manifest.json"
    content = {
        "semantic_models": [model],
        "metrics": list(METRICS),
        "project_configuration": {"time_spines": [spine]},
        "saved_queries": [saved],
    }
    path.write_text(json.dumps(content), "utf-8")
    return path


def loaded(manifest: Path, overlay: str = "") -> SemanticLayer:
    file = manifest.with_name("tidemark.yml")
    file.write_text(overlay, "utf-8")
    return SemanticLayer.load(manifest, DIALECT, file if overlay else None)


@pytest.mark.parametrize("metric", UNITS)
def test_a_unit_is_what_follows_or_unknown(metric: str, manifest: Path) -> None:
    assert loaded(manifest).metrics[metric].unit == UNITS[metric]


def test_an_unknown_unit_says_nothing_of_what_adds_up(manifest: Path) -> None:
    layer = loaded(manifest)
    assert layer.metrics["weight"].unit == ""
    assert layer.metrics["weight"].additivity.kind == "additive"


def test_a_label_in_chinese_is_the_chinese_one(manifest: Path) -> None:
    assert loaded(manifest).metrics["weighed"].label_zh == "重量"
    assert loaded(manifest).metrics["orders"].label_zh == ""


def test_domains_are_those_of_the_manifest_beside_it(manifest: Path) -> None:
    assert loaded(manifest).domains == ()
    nodes = {
        "a": {"name": "orders", "group": "sales"},
        "b": {"name": "wait", "fqn": ["shop", "marts", "service", "wait"]},
    }
    manifest.with_name("manifest.json").write_text(json.dumps({"metrics": nodes}), "utf-8")
    layer = loaded(manifest)
    assert layer.domains == ("sales", "service")
    assert layer.metrics["wait"].domain == "service"


def test_the_overlay_goes_before_what_the_project_says(manifest: Path) -> None:
    layer = loaded(
        manifest,
        """
        metrics:
          orders: {label: {en: Purchases, zh: 订单}, synonyms: {en: [buys], zh: []}, domain: sales}
          paid: {unit: EUR, label: {en: "", zh: 已付}}
        dimensions:
          orders.kind: {label: {zh: 种类}, value_synonyms: {late: [delayed]}}
        entities:
          order: {label: {en: Purchase}}
        questions: [Purchases by month]
        """,
    )
    orders = layer.metrics["orders"]
    assert (orders.label, orders.label_zh, orders.synonyms_en) == ("Purchases", "订单", ("buys",))
    assert (orders.unit, orders.domain) == ("count", "sales")
    assert (layer.metrics["paid"].label, layer.metrics["paid"].unit) == ("Paid", "EUR")
    # What follows from a unit follows from the one of the overlay.
    assert layer.metrics["paid_per_order"].unit == "EUR"
    kind = layer.dimensions["order__kind"]
    assert (kind.label_zh, kind.value_synonyms) == ("种类", {"late": ("delayed",)})
    assert layer.entities["order"].label == "Purchase"
    assert project_list(layer).sections[0].questions == ["Purchases by month"]
    assert not layer.unknown_words


def test_what_the_overlay_names_and_the_project_lacks_is_kept_and_harmless(manifest: Path) -> None:
    layer = loaded(
        manifest, "metrics: {gone: {}}\ndimensions: {orders.gone: {}, kind: {}}\nentities: {x: {}}"
    )
    assert list(layer.unknown_words) == [
        "metric gone", "dimension orders.gone", "dimension kind", "entity x"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("metrics: [orders]", "says of metrics: Input should be a valid dictionary"),
        ("metrics: {orders: {label: Orders}}", "says of metrics.orders.label"),
        ("labels: {}", "says of labels: Extra inputs are not permitted"),
        ("metrics: {", "is not YAML"),
    ],
)
def test_an_overlay_that_is_none_is_refused(manifest: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        loaded(manifest, text)


def test_saved_queries_are_questions_that_have_a_name(manifest: Path) -> None:
    layer = loaded(manifest)
    board = layer.saved_queries["board"]
    assert (board.label, board.metrics, board.limit) == ("For the board", ("orders", "paid"), 5)
    assert board.group_by == ("metric_time__week", "order__kind")
    asked = project_list(layer).sections[0].questions
    assert asked[0] == "Orders and Paid by week"
    assert "Late orders by month" in asked
