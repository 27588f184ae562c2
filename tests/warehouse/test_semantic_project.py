"""The dbt project's own metrics: each has its words in both languages and compiles in every cut."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from warehouse.catalogue import Catalogue
from warehouse.clickhouse import DIALECT
from warehouse.client import Warehouse
from warehouse.dbt_runner import run_dbt
from warehouse.guard import guard
from warehouse.semantic import Metric, MetricQuery, SemanticLayer
from warehouse.settings import WarehouseSettings

pytestmark = pytest.mark.integration
UNITS = {"USD", "ratio", "count", "ms", "days"}
RANGE = (datetime(2026, 1, 1), datetime(2026, 3, 1, 10, 30))


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> WarehouseSettings:
    project = Path(__file__).parents[2] / "dbt"
    settings = WarehouseSettings(dbt_project_dir=project, dbt_target_dir=tmp_path_factory.mktemp("target"))
    run_dbt(settings, ["parse"])
    return settings


@pytest.fixture(scope="module")
def layer(parsed: WarehouseSettings) -> SemanticLayer:
    return SemanticLayer.load(parsed.semantic_manifest_path, DIALECT)


def cuts(metric: Metric, layer: SemanticLayer) -> list[tuple[str, ...]]:
    """By nothing, by time, by each dimension; a total that restarts is only defined along time."""
    along = [(f"metric_time__{grain}",) for grain in (metric.min_grain, "month")]
    across = [(name,) for name in metric.dimensions if layer.dimensions[name].type == "categorical"]
    if metric.name.endswith("_to_date"):
        return along
    return [(), *along, *across]


def test_both_domains_can_be_asked(layer: SemanticLayer) -> None:
    domains = [metric.domain for metric in layer.metrics.values()]
    assert set(domains) == {"commerce", "agents"}
    assert min(domains.count("commerce"), domains.count("agents")) >= 6


def test_every_metric_has_its_words(layer: SemanticLayer) -> None:
    for metric in layer.metrics.values():
        assert metric.unit in UNITS, metric.name
        assert metric.label, metric.name
        assert metric.label_zh, metric.name
        assert metric.description, metric.name
        assert metric.tables, metric.name


def test_every_metric_compiles_in_every_cut_and_passes_the_guard(
    layer: SemanticLayer, parsed: WarehouseSettings, unique_keys: Warehouse
) -> None:
    catalogue = Catalogue.load(parsed.manifest_path, words=layer.table_words())
    for metric in layer.metrics.values():
        for cut in cuts(metric, layer):
            guard(
                layer.compile(MetricQuery((metric.name,), cut, time_range=RANGE), unique_keys),
                catalogue,
                DIALECT,
            )


def test_tables_are_found_by_the_metrics_words(layer: SemanticLayer, parsed: WarehouseSettings) -> None:
    catalogue = Catalogue.load(parsed.manifest_path, words=layer.table_words())
    for metric in layer.metrics.values():
        found = [table.qualified_name for table in catalogue.search(f"{metric.label} {metric.label_zh}", 8)]
        assert set(metric.tables) & set(found), metric.name
