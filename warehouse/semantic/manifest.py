"""The manifest as the room's own records: what MetricFlow knows, with the words kept in `config.meta`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from metricflow.engine.metricflow_engine import MetricFlowEngine
from metricflow.engine.models import Dimension as FlowDimension
from metricflow.engine.models import Metric as FlowMetric
from metricflow_semantic_interfaces.implementations.elements.entity import PydanticEntity
from metricflow_semantic_interfaces.implementations.metric import PydanticMetric
from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
from metricflow_semantic_interfaces.implementations.semantic_model import PydanticSemanticModel
from metricflow_semantic_interfaces.protocols.semantic_model import SemanticModel
from metricflow_semantic_interfaces.references import MetricReference
from metricflow_semantic_interfaces.type_enums.entity_type import EntityType
from metricflow_semantic_interfaces.type_enums.metric_type import MetricType
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

from warehouse.semantic.additivity import Additivities
from warehouse.semantic.model import GRAINS, Dimension, Entity, Metric
from warehouse.semantic.quantiles import sums_some

_COUNTS = re.compile(r"1|case\s+when\b.*\bthen\s+1\s+else\s+0\s+end", re.IGNORECASE | re.DOTALL)
_NOT_NULL = re.compile(r"case\s+when\s+(.*)\s+is\s+not\s+null\s+then\s+1\s+else\s+0\s+end", re.I | re.S)
_ONE_VALUE = re.compile(r"\{\{\s*Dimension\('(\w+)'\)\s*\}\}\s*=\s*'([^']*)'")
_CHOSEN = re.compile(r"case\s+when\b.*\bthen\s+(\w+)\s+end", re.IGNORECASE | re.DOTALL)
_KEYS = (EntityType.PRIMARY, EntityType.UNIQUE, EntityType.NATURAL)


def listed_metrics(engine: MetricFlowEngine, manifest: PydanticSemanticManifest) -> list[FlowMetric]:
    """MetricFlow's metrics with their dimensions.

    To find these takes a third of a second for a thousand of them, and they are the same for all metrics that
    are computed from the same semantic models by the same times: they are found once for each such set.
    """
    defined = {metric.name: metric for metric in manifest.metrics}
    known: dict[frozenset[tuple[str, str]], list[FlowDimension]] = {}
    found = []
    for metric in engine.list_metrics(include_dimensions=False):
        sources = _sources(metric.name, defined)
        if sources not in known:
            known[sources] = engine.simple_dimensions_for_metrics([metric.name])
        found.append(replace(metric, dimensions=known[sources]))
    return found


def _sources(name: str, defined: Mapping[str, PydanticMetric]) -> frozenset[tuple[str, str]]:
    """The semantic models, each with its time, that a metric is computed from; of a conversion, itself."""
    metric = defined[name]
    params = metric.type_params.metric_aggregation_params
    if params is not None:
        return frozenset([(params.semantic_model, params.agg_time_dimension or "")])
    inputs = _inputs(metric)
    if metric.type is MetricType.CONVERSION or not inputs:
        return frozenset([("", name)])
    return frozenset(source for one in inputs for source in _sources(one, defined))


def read_metrics(
    manifest: PydanticSemanticManifest,
    listed: Iterable[FlowMetric],
    lookup: SemanticManifestLookup,
    dialect: str,
) -> dict[str, Metric]:
    """Every metric that may be asked for, by name."""
    listed = list(listed)
    additivities = Additivities(manifest, _paths(listed), dialect)
    defined = {metric.name: metric for metric in manifest.metrics}
    found = {metric.name: _metric(metric, defined, lookup, additivities) for metric in listed}
    times = {
        model.name: model.defaults.agg_time_dimension if model.defaults else None
        for model in manifest.semantic_models
    }
    return {
        name: replace(
            metric,
            sources=tuple(sorted((of, time or times.get(of) or "") for of, time in _sources(name, defined))),
            sums_some=sums_some(defined[name], dialect),
        )
        for name, metric in found.items()
    }


def read_dimensions(listed: Iterable[FlowMetric], lookup: SemanticManifestLookup) -> dict[str, Dimension]:
    """Every dimension that some metric may be grouped by, by qualified name."""
    found = {dimension.dunder_name: dimension for metric in listed for dimension in metric.dimensions}
    return {
        name: _dimension(name, found[name], lookup)
        for name in sorted(found)
        if found[name].semantic_model_reference is not None
    }


def read_entities(manifest: PydanticSemanticManifest) -> dict[str, Entity]:
    """Every entity, by name; what it is called is read where it is the key, else where it is named first."""
    found: dict[str, Entity] = {}
    for keyed in (True, False):
        for model in manifest.semantic_models:
            for entity in model.entities:
                if (entity.type in _KEYS) is keyed:
                    found[entity.name] = _entity(found.get(entity.name), entity, model, keyed)
    return dict(sorted(found.items()))


def _entity(
    known: Entity | None, entity: PydanticEntity, model: PydanticSemanticModel, keyed: bool
) -> Entity:
    meta = _meta(entity)
    one = known or Entity(entity.name, "", "", expression=entity.expr or entity.name)
    return replace(
        one,
        label=one.label or entity.label or "",
        label_zh=one.label_zh or meta.get("label_zh", ""),
        synonyms_en=one.synonyms_en or _words(meta, "synonyms", "en"),
        synonyms_zh=one.synonyms_zh or _words(meta, "synonyms", "zh"),
        tables=(*one.tables, _table(model)),
        keyed=(*one.keyed, _table(model)) if keyed else one.keyed,
        model_labels=(*one.model_labels, model.label) if keyed and model.label else one.model_labels,
    )


def _aggregation(metric: PydanticMetric) -> str:
    params = metric.type_params.metric_aggregation_params
    if params is None:
        return ""
    # MetricFlow has made the sum of a case out of a count.
    counts = params.agg.value == "sum" and _COUNTS.fullmatch((metric.type_params.expr or "").strip())
    return "count" if counts else params.agg.value


def _counted(metric: PydanticMetric, models: Iterable[SemanticModel]) -> tuple[str, bool]:
    """The entity that a metric counts, each once, and whether it leaves none out; empty for any other."""
    expression = (metric.type_params.expr or "").strip()
    if _aggregation(metric) not in ("count", "count_distinct"):
        return "", False
    if counts := _NOT_NULL.fullmatch(expression):
        expression = counts[1].strip()
    chosen = _CHOSEN.fullmatch(expression)
    for entity in (one for model in models for one in model.entities):
        is_key = entity.type in _KEYS or _aggregation(metric) == "count_distinct"
        if is_key and (chosen[1] if chosen else expression) == (entity.expr or entity.name):
            return entity.name, not chosen and metric.filter is None
    return "", False


def _inputs(metric: PydanticMetric) -> tuple[str, ...]:
    cumulative = metric.type_params.cumulative_type_params
    if metric.type is MetricType.CUMULATIVE:
        return (cumulative.metric.name,) if cumulative and cumulative.metric else ()
    return tuple(one.name for one in metric.input_metrics)


def _runs_on(
    metric: PydanticMetric, known: Mapping[str, PydanticMetric], models: Sequence[SemanticModel]
) -> str:
    """What a metric is the total of since the data begins, as a metric that has a name of its own; the one
    that it is computed from may be MetricFlow's alone.
    """
    cumulative = metric.type_params.cumulative_type_params
    if not cumulative or not cumulative.metric or cumulative.window or cumulative.grain_to_date:
        return ""
    if metric.filter:
        return ""
    of = known[cumulative.metric.name]
    alike = [
        one.name
        for one in known.values()
        if one.type is MetricType.SIMPLE
        and one.filter == of.filter == cumulative.metric.filter
        and _computed(one, models) == _computed(of, models)
    ]
    return min(alike, key=len, default="")


def _only(metric: PydanticMetric) -> tuple[tuple[str, str], ...]:
    """The dimensions of which a metric's own filters leave one value."""
    filters = metric.filter.where_filters if metric.filter else ()
    found = (_ONE_VALUE.fullmatch(one.where_sql_template.strip()) for one in filters)
    return tuple((one[1], one[2]) for one in found if one)


def _computed(metric: PydanticMetric, models: Sequence[SemanticModel]) -> tuple[Any, ...]:
    """What a simple metric is computed from, by a time that may be kept as another dimension too: revenue by
    the minute, and by the day for what runs on.
    """
    params = metric.type_params.metric_aggregation_params
    model = next((one for one in models if params and one.name == params.semantic_model), None)
    if params is None or model is None:
        return (metric.name,)
    time = params.agg_time_dimension or (model.defaults and model.defaults.agg_time_dimension)
    columns = {one.name: one.expr or one.name for one in model.dimensions}
    others = params.copy(update={"agg_time_dimension": columns.get(time or "", time)})
    return metric.type_params.expr, others


def _paths(listed: Iterable[FlowMetric]) -> dict[tuple[str, str], list[str]]:
    """The qualified names that each dimension of each semantic model is asked for by."""
    found: dict[tuple[str, str], set[str]] = {}
    for dimension in (one for metric in listed for one in metric.dimensions):
        model = dimension.semantic_model_reference
        if model is not None:
            key = (model.semantic_model_name, dimension.name)
            found.setdefault(key, set()).add(dimension.dunder_name)
    return {key: sorted(names) for key, names in found.items()}


def _metric(
    metric: FlowMetric,
    known: Mapping[str, PydanticMetric],
    lookup: SemanticManifestLookup,
    additivities: Additivities,
) -> Metric:
    defined = known[metric.name]
    meta = _meta(metric)
    words = meta.get("words", {})
    counted, all_of_them = _counted(defined, _models(metric, lookup))
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
        aggregation=_aggregation(defined),
        counts=counted if all_of_them else "",
        counts_some="" if all_of_them else counted,
        inputs=_inputs(defined),
        runs_on=_runs_on(defined, known, list(_models(metric, lookup))),
        only=_only(defined),
        spans_calendar=bool(defined.type_params.join_to_timespine)
        or any(one.offset_window or one.offset_to_grain for one in defined.input_metrics),
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
        model=model.name,
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
