"""`SemanticLayer`: the metrics and dimensions of the dbt project, and SQL for a question asked in their words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path

from warehouse.client import Warehouse
from warehouse.semantic.model import Dimension, Metric, MetricQuery


class SemanticLayer:
    """What can be asked, by name. Build it with `load` once a process and share it; it is safe between threads."""

    metrics: Mapping[str, Metric]
    dimensions: Mapping[str, Dimension]

    @classmethod
    def load(cls, semantic_manifest_path: Path) -> SemanticLayer:
        """Read dbt's semantic_manifest.json. Raises `SemanticError`."""
        raise NotImplementedError

    def common_dimensions(self, metric_names: Collection[str]) -> tuple[str, ...]:
        """The dimensions that all these metrics share. Raises `UnknownMetricError`."""
        raise NotImplementedError

    def compile(self, query: MetricQuery) -> str:
        """SQL for one query. Raises `UnknownMetricError`, `UnknownDimensionError`, `SemanticError`."""
        raise NotImplementedError

    def compile_comparison(self, query: MetricQuery, previous_range: tuple[datetime, datetime]) -> str:
        """SQL that sets `query.time_range` against an earlier range.

        Columns: the group-by items, then for each metric `<m>`, `<m>_previous`, `<m>_change` and
        `<m>_change_rate`. `order_by` may also name these, and `abs_change` (of the first metric).
        """
        raise NotImplementedError

    def values(self, dimension: str, warehouse: Warehouse, limit: int = 1000) -> list[str]:
        """The distinct values of a categorical dimension, most frequent first; cached a few minutes."""
        raise NotImplementedError
