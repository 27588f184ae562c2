"""MetricFlow over one manifest: SQL for a query, and the keys that its joins rely on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from functools import lru_cache

from metricflow.engine.metricflow_engine import (
    MetricFlowEngine,
    MetricFlowQueryRequest,
    OutputColumnOrderMode,
)
from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

from warehouse.dialect import Dialect
from warehouse.errors import SemanticError
from warehouse.semantic.joins import JoinedKey, joined_keys

_KEPT = 512

# MetricFlow logs each failed attempt with a stack; this room raises one error that says the same.
for _name in ("metricflow", "metricflow_semantics"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)

# MetricFlow numbers its subqueries from one counter a process.
_LOCK = threading.Lock()


class Compiler:
    """Safe between threads; what was compiled before is remembered."""

    def __init__(self, manifest: PydanticSemanticManifest, dialect: Dialect) -> None:
        self.lookup = SemanticManifestLookup(manifest)
        self.engine = MetricFlowEngine(self.lookup, dialect.semantic)
        self._compiled = lru_cache(maxsize=_KEPT)(self._explained)

    def sql(
        self,
        metrics: Sequence[str],
        items: Sequence[str] = (),
        where: Sequence[str] = (),
        order: Sequence[str] = (),
        limit: int | None = None,
    ) -> tuple[str, tuple[JoinedKey, ...]]:
        """SQL with the items' columns and then the metrics'. Raises `SemanticError`."""
        return self._compiled(tuple(metrics), tuple(items), tuple(where), tuple(order), limit)

    def _explained(
        self,
        metrics: tuple[str, ...],
        items: tuple[str, ...],
        where: tuple[str, ...],
        order: tuple[str, ...],
        limit: int | None,
    ) -> tuple[str, tuple[JoinedKey, ...]]:
        request = MetricFlowQueryRequest.create(
            metric_names=metrics or None,
            group_by_names=items or None,
            where_constraints=where or None,
            order_by_names=order or None,
            limit=limit,
            output_column_order_mode=OutputColumnOrderMode.INPUT_ORDER,
        )
        with _LOCK:
            try:
                explained = self.engine.explain(request)
                sql = str(explained.sql_statement.sql)
            except Exception as error:
                raise SemanticError(
                    f"The semantic layer cannot compile {', '.join(metrics) or 'this'}"
                    f"{' by ' + ', '.join(items) if items else ''}: {reason_of(error)}"
                ) from error
            return sql, joined_keys(explained.dataflow_plan, self.lookup)


def reason_of(error: Exception) -> str:
    """MetricFlow's reason without its query trees: the line under its first "Message:", else the first."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if "Message:" in lines[:-1]:
        return lines[lines.index("Message:") + 1]
    return lines[0] if lines else type(error).__name__
