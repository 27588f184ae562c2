"""MetricFlow over one manifest: SQL for a query, and the keys that its joins rely on."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Mapping, Sequence
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
# A text in a condition, and what stands for it in a statement that is kept.
_TEXT, _MARK = re.compile(r"'([^']*)'"), "\ue000"
# What the template engine reads, and texts in which a quote or a brace is written otherwise than it is.
_READ, _ESCAPED = re.compile(r"(\{\{.*?\}\})"), re.compile(r"\\|''|\{\{ '[{}]' \}\}")

# MetricFlow logs each failed attempt with a stack; this room raises one error that says the same.
for _name in ("metricflow", "metricflow_semantics"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)

# MetricFlow numbers its subqueries from one counter a process.
_LOCK = threading.Lock()


class Compiler:
    """Safe between threads; what was compiled before is remembered, of whatever dates and values it was."""

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
        texts: dict[str, str] = {}
        marked = any(_MARK in one for one in where)
        shape = tuple(where) if marked else tuple(_marked(one, texts) for one in where)
        try:
            sql, keys = self._compiled(tuple(metrics), tuple(items), shape, tuple(order), limit)
        except SemanticError as error:
            raise SemanticError(_filled(str(error), texts)) from error
        return _filled(sql, texts), keys

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


def _marked(condition: str, texts: dict[str, str]) -> str:
    """A condition with a mark, the same for the same, in the place of each of its texts."""
    if _ESCAPED.search(condition):
        return condition

    def mark(found: re.Match[str]) -> str:
        return texts.setdefault(found.group(), f"'{_MARK}{len(texts)}{_MARK}'")

    parts = _READ.split(condition)
    return "".join(part if at % 2 else _TEXT.sub(mark, part) for at, part in enumerate(parts))


def _filled(statement: str, texts: Mapping[str, str]) -> str:
    for text, mark in texts.items():
        statement = statement.replace(mark, text)
    return statement


def reason_of(error: Exception) -> str:
    """MetricFlow's reason without its query trees: the line under its first "Message:", else the first."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if "Message:" in lines[:-1]:
        return lines[lines.index("Message:") + 1]
    return lines[0] if lines else type(error).__name__
