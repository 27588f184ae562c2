"""The manifest as the room's own records: what MetricFlow knows, with the words kept in `config.meta`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from metricflow.engine.models import Dimension as FlowDimension
from metricflow.engine.models import Metric as FlowMetric
from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
from metricflow_semantic_interfaces.protocols.semantic_model import SemanticModel
from metricflow_semantic_interfaces.references import MetricReference
from metricflow_semantic_interfaces.type_enums.aggregation_type import AggregationType
from metricflow_semantic_interfaces.type_enums.metric_type import MetricType
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

from warehouse.semantic.model import GRAINS, Dimension, Metric

_ADDITIVE = {
    AggregationType.SUM,
    AggregationType.SUM_BOOLEAN,
    AggregationType.COUNT,
    AggregationType.COUNT_DISTINCT,
}


def read_metrics(listed: Iterable[FlowMetric], lookup: SemanticManifestLookup) -> dict[str, Metric]:
    """Every metric that may be asked for, by name."""
    return {metric.name: _metric(metric, lookup) for metric in listed}


def read_dimensions(listed: Iterable[FlowMetric], lookup: SemanticManifestLookup) -> dict[str, Dimension]:
    """Every dimension that some metric may be grouped by, by qualified name."""
    found = {dimension.dunder_name: dimension for metric in listed for dimension in metric.dimensions}
    return {
        name: _dimension(name, found[name], lookup)
        for name in sorted(found)
        if found[name].semantic_model_reference is not None
    }


def additive_metrics(manifest: PydanticSemanticManifest) -> frozenset[str]:
    """The metrics that are 0, not unknown, where there are no rows: sums, counts, their running totals."""
    additive = {
        metric.name
        for metric in manifest.metrics
        if (aggregation := metric.type_params.metric_aggregation_params) and aggregation.agg in _ADDITIVE
    }
    running = {
        metric.name
        for metric in manifest.metrics
        if metric.type is MetricType.CUMULATIVE
        and (cumulative := metric.type_params.cumulative_type_params)
        and cumulative.metric
        and cumulative.metric.name in additive
    }
    return frozenset(additive | running)


def _metric(metric: FlowMetric, lookup: SemanticManifestLookup) -> Metric:
    meta = _meta(metric)
    words = meta.get("words", {})
    finest = lookup.metric_lookup.get_min_queryable_time_granularity(MetricReference(metric.name)).value
    return Metric(
        name=metric.name,
        label=metric.label or _spaced(metric.name),
        label_zh=meta.get("label_zh", ""),
        description=metric.description or "",
        domain=meta.get("domain", ""),
        unit=meta.get("unit", ""),
        kind=metric.type.value,
        synonyms_en=_words(meta, "synonyms", "en"),
        synonyms_zh=_words(meta, "synonyms", "zh"),
        words_high=tuple(words.get("high", ())),
        words_low=tuple(words.get("low", ())),
        dimensions=tuple(
            dict.fromkeys(
                dimension.dunder_name
                for dimension in metric.dimensions
                if dimension.semantic_model_reference is not None
            )
        ),
        grains=GRAINS[GRAINS.index(finest) :],
        tables=tuple(sorted({_table(model) for model in _models(metric, lookup)})),
    )


def _dimension(name: str, dimension: FlowDimension, lookup: SemanticManifestLookup) -> Dimension:
    reference = dimension.semantic_model_reference
    model = lookup.semantic_model_lookup.get_by_reference(reference) if reference else None
    assert model is not None, f"{name} is in no semantic model"
    source = next(one for one in model.dimensions if one.name == dimension.name)
    meta = _meta(source)
    return Dimension(
        name=name,
        label=source.label or _spaced(dimension.name),
        label_zh=meta.get("label_zh", ""),
        description=source.description or "",
        type=source.type.value,
        table=_table(model),
        expression=source.expr or source.name,
        synonyms_en=_words(meta, "synonyms", "en"),
        synonyms_zh=_words(meta, "synonyms", "zh"),
        value_synonyms={str(value): tuple(words) for value, words in meta.get("value_synonyms", {}).items()},
    )


def _models(metric: FlowMetric, lookup: SemanticManifestLookup) -> Iterator[SemanticModel]:
    for reference in metric.semantic_models:
        model = lookup.semantic_model_lookup.get_by_reference(reference)
        if model is not None:
            yield model


def _table(model: SemanticModel) -> str:
    return f"{model.node_relation.schema_name}.{model.node_relation.alias}"


def _meta(element: Any) -> Mapping[str, Any]:
    return element.config.meta if element.config else {}


def _words(meta: Mapping[str, Any], key: str, language: str) -> tuple[str, ...]:
    return tuple(meta.get(key, {}).get(language) or ())


def _spaced(name: str) -> str:
    return name.replace("_", " ").capitalize()
