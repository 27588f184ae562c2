"""The semantic layer's queries give the same figures on BigQuery as on ClickHouse."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from two_engines import Both, Engine
from warehouse.semantic import Filter, MetricQuery, SemanticLayer

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def layers(both: Both) -> list[tuple[Engine, SemanticLayer]]:
    return [
        (one, SemanticLayer.load(one.settings.semantic_manifest_path, one.reader.dialect))
        for one in (both.clickhouse, both.bigquery)
    ]


def comparable(value: Any) -> Any:
    if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
        return float(value)
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def same(ours: Sequence[tuple[Any, ...]], theirs: Sequence[tuple[Any, ...]]) -> bool:
    """Row by row in their order, floats to nine digits."""
    return len(ours) == len(theirs) and all(
        math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-8)
        if isinstance(one, float) and isinstance(other, float)
        else one == other
        for row, other_row in zip(ours, theirs, strict=True)
        for one, other in zip(map(comparable, row), map(comparable, other_row), strict=True)
    )


def queries(layer: SemanticLayer) -> Iterator[MetricQuery]:
    """Each metric by time and by a dimension, those of one table together, and some alone in other ways."""
    until = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    weeks = (until - timedelta(days=21), until)
    together: dict[tuple[Any, ...], list[str]] = {}
    for name, metric in layer.metrics.items():
        together.setdefault((metric.dimensions, metric.grains), []).append(name)
    for (dimensions, grains), names in together.items():
        metrics = tuple(names)
        grouped = [one for one in dimensions if layer.dimensions[one].type == "categorical"][:1]
        yield MetricQuery(metrics, ("metric_time__week",))
        yield MetricQuery(metrics, ("metric_time__day", *grouped), time_range=weeks)
        if "hour" in grains:
            yield MetricQuery(
                metrics, ("metric_time__hour",), time_range=(until - timedelta(hours=30), until)
            )
    yield MetricQuery(("cumulative_revenue",), ("metric_time__day",), time_range=weeks)
    yield MetricQuery(("revenue_month_to_date",), ("metric_time__day",), time_range=weeks)
    yield MetricQuery(("inventory_on_hand",), ("metric_time__month",))
    top = (("revenue", "desc"),)
    yield MetricQuery(("revenue", "return_rate"), ("user__country",), (), weeks, top, 3)
    cities = Filter("user__country", "in", ("China", "Brasil"))
    yield MetricQuery(("revenue", "average_order_value"), ("metric_time__month",), (cities,))


def test_every_metric_has_the_same_figures(layers: list[tuple[Engine, SemanticLayer]]) -> None:
    different, asked = [], set()
    for query in queries(layers[0][1]):
        ours, theirs = (
            one.reader.query(layer.compile(query, one.reader), limits=None) for one, layer in layers
        )
        asked |= set(query.metrics)
        assert ours.column_names == theirs.column_names
        if not same(ours.rows, theirs.rows):
            apart = [
                pair
                for pair in zip(ours.rows, theirs.rows, strict=False)
                if not same(*([one] for one in pair))
            ]
            different.append(f"{query}: {len(ours.rows)} and {len(theirs.rows)} rows, {apart[:2]}")
    assert not different, "\n".join(different)
    assert asked == set(layers[0][1].metrics)


def test_a_dimensions_values_are_the_same(layers: list[tuple[Engine, SemanticLayer]]) -> None:
    for dimension in ("user__country", "product__category", "tool_call__tool"):
        ours, theirs = (layer.values(dimension, one.reader) for one, layer in layers)
        assert ours == theirs
        assert len(ours) > 2
