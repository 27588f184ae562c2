"""The metrics and dimensions of the dbt project, and SQL for a question asked in their words."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest
from sqlglot import exp

from warehouse.client import Limits, Warehouse
from warehouse.dialect import Dialect, ordered
from warehouse.errors import SemanticError, UnknownDimensionError, UnknownMetricError
from warehouse.names import nearest
from warehouse.semantic.compiler import Compiler, reason_of
from warehouse.semantic.expressions import Source, qualified
from warehouse.semantic.inferring import infer
from warehouse.semantic.joins import JoinedKey, UniqueKeys
from warehouse.semantic.manifest import listed_metrics, read_dimensions, read_entities, read_metrics
from warehouse.semantic.model import GRAINS, METRIC_TIME, Dimension, Entity, Metric, MetricQuery
from warehouse.semantic.overlay import Overlay
from warehouse.semantic.quantiles import with_quantile
from warehouse.semantic.saved import SavedQuery, read_saved_queries
from warehouse.semantic.selection import Item, Selection, template
from warehouse.semantic.where import where_dated, where_filter, where_time

VALUES_TTL_SECONDS = 300.0

_KEPT_QUANTILES = 64


class SemanticLayer:
    """What can be asked, by name. `load` it once a process and share it; it is safe between threads."""

    metrics: Mapping[str, Metric]
    dimensions: Mapping[str, Dimension]
    entities: Mapping[str, Entity]
    saved_queries: Mapping[str, SavedQuery]
    # Of the overlay: what it asks, and what it names that the project does not have.
    questions: Sequence[str] = ()
    unknown_words: Sequence[str] = ()

    def __init__(self, manifest: PydanticSemanticManifest, dialect: Dialect) -> None:
        self.manifest = manifest
        self._dialect = dialect
        self._compiler = Compiler(manifest, dialect)
        self._of_values = lru_cache(maxsize=_KEPT_QUANTILES)(self._quantile)
        self._unique_keys = UniqueKeys()
        self._values: dict[tuple[str, int], tuple[float, list[str]]] = {}
        lookup, listed = self._compiler.lookup, listed_metrics(self._compiler.engine, manifest)
        self.metrics = read_metrics(manifest, listed, lookup, dialect.name)
        self.dimensions = read_dimensions(listed, lookup)
        self.entities = read_entities(manifest)
        self.saved_queries = read_saved_queries(manifest, dialect)

    @classmethod
    def load(
        cls, semantic_manifest_path: Path, dialect: Dialect, overlay: Path | None = None
    ) -> SemanticLayer:
        """Read what dbt wrote, for SQL in one engine's dialect; `overlay` is a tidemark.yml over it.

        What the project does not say and its manifests tell all the same (units, domains) is added. Raises
        `SemanticError`, and `SettingsError` for the overlay.
        """
        words = Overlay.read(overlay)
        try:
            manifest = json.loads(semantic_manifest_path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise SemanticError(
                f"The semantic manifest {semantic_manifest_path} cannot be read ({reason}). "
                "Write it with `dbt parse`."
            ) from error
        try:
            unknown = words.lay_over(manifest)
            infer(manifest, _beside(semantic_manifest_path))
            _filter_accumulated(manifest)
            text = json.dumps(manifest)
            layer = cls(parse_manifest_from_dbt_generated_manifest(text), dialect)
        except Exception as error:
            raise SemanticError(
                f"MetricFlow cannot use the semantic manifest {semantic_manifest_path}: {reason_of(error)}"
            ) from error
        layer.questions, layer.unknown_words = tuple(words.questions), tuple(unknown)
        return layer

    @property
    def domains(self) -> tuple[str, ...]:
        """What the metrics are about, in the project's own words."""
        return tuple(sorted({metric.domain for metric in self.metrics.values()} - {""}))

    def common_dimensions(self, metric_names: Collection[str]) -> tuple[str, ...]:
        """The dimensions that all these metrics share. Raises `UnknownMetricError`."""
        metrics = self._known(metric_names)
        return tuple(
            name
            for name in (metrics[0].dimensions if metrics else self.dimensions)
            if all(name in metric.dimensions for metric in metrics)
        )

    def table_words(self) -> dict[str, list[str]]:
        """By table, the names of the metrics and dimensions that are computed from it, in both languages."""
        words: dict[str, list[str]] = {}
        for metric in self.metrics.values():
            for table in metric.tables:
                words.setdefault(table, []).extend(
                    (metric.label, metric.label_zh, *metric.synonyms_en, *metric.synonyms_zh)
                )
        for one in self.dimensions.values():
            words.setdefault(one.table, []).extend(
                (one.label, one.label_zh, *one.synonyms_en, *one.synonyms_zh)
            )
        return words

    def compile(self, query: MetricQuery, warehouse: Warehouse | None) -> str:
        """SQL for one query. Raises `UnknownMetricError`, `UnknownDimensionError`, `SemanticError`.

        The warehouse is asked whether the keys that the query joins on are unique: if one is not, the query
        is refused, because its totals would count rows more than once; without a warehouse nobody is asked,
        for SQL that is not to be run. Rows that `order_by` leaves equal are
        ordered by the group-by items: equal questions, equal rows.
        """
        self._check(query)
        ordered = dict(query.order_by)
        order = [f"-{name}" if direction == "desc" else name for name, direction in query.order_by]
        order += [name for name in query.group_by if name not in ordered]
        compiled = self._compiler.sql(query.metrics, query.group_by, self._where(query), order, query.limit)
        return self._checked(compiled, warehouse)

    def select(self, asked: Selection) -> tuple[exp.Query, tuple[JoinedKey, ...]]:
        """A query for one metric's figures: the items' columns in their order, then the metric's, each by
        its own name; and the keys that have to be unique for it, see `check_keys`. Raises as `compile` does.
        """
        self._check_selection(asked)
        conditions = [template(one, self.is_entity, self._dialect) for one in asked.where]
        if any(asked.window):
            conditions += where_time(asked.window, self.metrics[asked.metric].grains, self._dialect)
        metrics, items = [asked.metric] if asked.metric else [], [item.asked for item in asked.items]
        compiler = self._of_values(asked.metric, asked.quantile) if asked.quantile else self._compiler
        sql, keys = compiler.sql(metrics, items, conditions)
        return self._dialect.parse(sql), keys

    def check_keys(self, keys: Sequence[JoinedKey], warehouse: Warehouse) -> None:
        """Raises `SemanticError` for the first of some joined keys that is there twice in the data."""
        self._unique_keys.check(tuple(dict.fromkeys(keys)), warehouse)

    def is_entity(self, name: str) -> bool:
        """Whether a name is an entity's, as qualified by the entities on the way to it."""
        return name not in self.dimensions and name.rpartition("__")[2] in self.entities

    def _quantile(self, metric: str, level: float) -> Compiler:
        aggregation = self._known([metric])[0].aggregation
        return Compiler(
            with_quantile(self.manifest, metric, level, aggregation, self._dialect.name), self._dialect
        )

    def _checked(self, compiled: tuple[str, tuple[JoinedKey, ...]], warehouse: Warehouse | None) -> str:
        sql, keys = compiled
        if warehouse is not None:
            self._unique_keys.check(keys, warehouse)
        return sql

    def values(self, dimension: str, warehouse: Warehouse, limit: int = 1000) -> list[str]:
        """The distinct values of a categorical dimension, most frequent first; kept for five minutes."""
        source = self._dimension(dimension, self.dimensions)
        if source.type == "time":
            raise SemanticError(f"{dimension} is a time; only categorical dimensions have values to list.")
        known = self._values.get((dimension, limit))
        if known and known[0] > time.monotonic():
            return known[1]
        database, _, table = source.table.partition(".")
        rows = exp.table_(table, db=database, quoted=True, alias="source_rows")
        value = qualified(source.expression, [Source("source_rows", table)], self._dialect)
        shown = self._dialect.as_text(value)
        asked = (
            exp.select(shown.as_("value_shown"))
            .from_(rows)
            .where(shown.neq(""))
            .group_by(shown)
            .order_by(ordered(exp.Count(this=exp.Star()), "desc"), ordered(shown))
            .limit(limit)
        )
        result = warehouse.query(asked, limits=Limits(rows=limit))
        values = [str(row[0]) for row in result.rows]
        self._values[dimension, limit] = (time.monotonic() + VALUES_TTL_SECONDS, values)
        return values

    def shared_values(
        self, dimension: str, key: str, warehouse: Warehouse, limit: int = 1000
    ) -> dict[str, int]:
        """The values of a dimension that rows of several keys have, and of how many; `key` is an expression
        over the dimension's own table.
        """
        source = self._dimension(dimension, self.dimensions)
        database, _, table = source.table.partition(".")
        tables = [Source("source_rows", table)]
        shown = self._dialect.as_text(qualified(source.expression, tables, self._dialect))
        number = exp.Count(this=exp.Distinct(expressions=[qualified(key, tables, self._dialect)]))
        asked = (
            exp.select(shown.as_("value_shown"), number.as_("things"))
            .from_(exp.table_(table, db=database, quoted=True, alias="source_rows"))
            .where(shown.neq(""))
            .group_by(shown)
            .having(number.copy() > 1)
            .order_by(ordered(number.copy(), "desc"), ordered(shown))
            .limit(limit)
        )
        result = warehouse.query(asked, limits=Limits(rows=limit))
        return {str(value): int(things) for value, things in result.rows}

    def _where(self, query: MetricQuery) -> list[str]:
        conditions = [
            where_filter(one, self.dimensions[one.dimension], self._dialect) for one in query.filters
        ]
        if query.time_range:
            grains = set(GRAINS).intersection(*(metric.grains for metric in self._known(query.metrics)))
            conditions += where_time(query.time_range, grains, self._dialect)
        if query.limit is not None:
            # The first of some periods is one of them, and never what has no time.
            conditions += [where_dated(name) for name in query.group_by if name not in self.dimensions]
        return conditions

    def _check(self, query: MetricQuery) -> None:
        if not query.metrics:
            raise SemanticError("A query needs at least one metric.")
        common = self.common_dimensions(query.metrics)
        grains = set(GRAINS).intersection(*(self.metrics[name].grains for name in query.metrics))
        for name in query.group_by:
            base, _, grain = name.rpartition("__")
            if base == METRIC_TIME:
                if grain not in grains:
                    raise UnknownDimensionError(
                        name, [f"{METRIC_TIME}__{one}" for one in GRAINS if one in grains]
                    )
            elif not (grain in GRAINS and base in common and self.dimensions[base].type == "time"):
                self._dimension(name, common)
        for condition in query.filters:
            self._dimension(condition.dimension, common)
        for name, _ in query.order_by:
            if name not in query.metrics and name not in query.group_by:
                raise SemanticError(
                    f"The query cannot be ordered by {name!r}, which is neither a metric nor a group of it."
                )

    def _check_selection(self, asked: Selection) -> None:
        """That a metric has the items and the grains; what no metric is asked of is left to MetricFlow."""
        found = {Item(one.name, one.table) for tree in asked.where for one in tree.find_all(exp.Column)}
        for item in (*asked.items, *sorted(found, key=lambda one: one.column)):
            if item.name == METRIC_TIME:
                grains = self._known([asked.metric])[0].grains
                wanted = item.grain or ("day" if item.part else grains[0])
                if wanted not in grains:
                    raise SemanticError(
                        f"{asked.metric} is kept by the {grains[0]}, so nothing is known of it by the "
                        f"{wanted}. Ask by the {grains[0]} or longer."
                    )
            elif not self.is_entity(item.name):
                self._dimension(item.name, self.common_dimensions([asked.metric] if asked.metric else []))

    def _known(self, names: Iterable[str]) -> list[Metric]:
        for name in names:
            if name not in self.metrics:
                raise UnknownMetricError(name, nearest(name, self.metrics, 5))
        return [self.metrics[name] for name in names]

    def _dimension(self, name: str, allowed: Collection[str]) -> Dimension:
        if name not in allowed:
            element = name.rpartition("__")[2]
            same = [one for one in allowed if one.rpartition("__")[2] == element]
            raise UnknownDimensionError(name, same or nearest(name, allowed, 5))
        return self.dimensions[name]


def _filter_accumulated(manifest: dict[str, Any]) -> None:
    """Let a cumulative metric itself have the filter of what it accumulates: MetricFlow forgets it there, and
    would count every row.
    """
    for metric in manifest.get("metrics", ()):
        params = metric.get("type_params") or {}
        inner = params.get("measure") or (params.get("cumulative_type_params") or {}).get("metric") or {}
        if metric.get("type") == "cumulative" and isinstance(inner, dict) and inner.get("filter"):
            metric["filter"] = [*_filters(metric.get("filter")), *_filters(inner["filter"])]
            inner["filter"] = None


def _filters(said: Any) -> list[Any]:
    """A filter as dbt may write it: none, one, several, or those in `where_filters`."""
    found = said.get("where_filters") if isinstance(said, dict) else said
    return [found] if isinstance(found, str) else [*(found or ())]


def _beside(semantic_manifest_path: Path) -> Mapping[str, Any]:
    """dbt's manifest, which has the groups, tags and folders that the semantic one lacks; none is empty."""
    try:
        manifest: Mapping[str, Any] = json.loads(
            semantic_manifest_path.with_name("manifest.json").read_text(encoding="utf-8")
        )
    except (OSError, ValueError):
        return {}
    return manifest
