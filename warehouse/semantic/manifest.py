"""The manifest as the room's own records: what MetricFlow knows, with the words kept in `config.meta`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from metricflow.engine.models import Dimension as FlowDimension
from metricflow.engine.models import Metric as FlowMetric
from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
from metricflow_semantic_interfaces.protocols.semantic_model import SemanticModel
from metricflow_semantic_interfaces.references import MetricReference
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

from warehouse.semantic.additivity import Additivities
from warehouse.semantic.model import GRAINS, Dimension, Metric


def read_metrics(
    manifest: PydanticSemanticManifest,
    listed: Iterable[FlowMetric],
    lookup: SemanticManifestLookup,
    dialect: str,
) -> dict[str, Metric]:
    """Every metric that may be asked for, by name."""
    listed = list(listed)
    additivities = Additivities(manifest, _paths(listed), dialect)
    return {metric.name: _metric(metric, lookup, additivities) for metric in listed}


def read_dimensions(listed: Iterable[FlowMetric], lookup: SemanticManifestLookup) -> dict[str, Dimension]:
    """Every dimension that some metric may be grouped by, by qualified name."""
    found = {dimension.dunder_name: dimension for metric in listed for dimension in metric.dimensions}
    return {
        name: _dimension(name, found[name], lookup)
        for name in sorted(found)
        if found[name].semantic_model_reference is not None
    }


def _paths(listed: Iterable[FlowMetric]) -> dict[tuple[str, str], list[str]]:
    """The qualified names that each dimension of each semantic model is asked for by."""
    found: dict[tuple[str, str], set[str]] = {}
    for dimension in (one for metric in listed for one in metric.dimensions):
        model = dimension.semantic_model_reference
        if model is not None:
            key = (model.semantic_model_name, dimension.name)
            found.setdefault(key, set()).add(dimension.dunder_name)
    return {key: sorted(names) for key, names in found.items()}


def _metric(metric: FlowMetric, lookup: SemanticManifestLookup, additivities: Additivities) -> Metric:
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
        additivity=additivities.of(metric.name),
        zero_without_rows=additivities.is_zero_without_rows(metric.name),
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
