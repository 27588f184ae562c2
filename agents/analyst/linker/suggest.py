"""What can be asked instead, and the metric that a question describes without naming it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise, zip_longest

from agents.analyst.grammar.text import fold, units
from agents.analyst.linker.lattice import Reading
from agents.analyst.linker.leftovers import name_keys
from agents.analyst.linker.plan import Nearest
from agents.analyst.linker.signals import Signal, is_said, is_stop
from warehouse.semantic import Metric, SemanticLayer

SUGGESTED = 4


def nearest(
    question: str, metrics: Sequence[Metric], semantic: SemanticLayer, language: str
) -> tuple[Nearest, ...]:
    """The metrics whose words and meaning share most with the question, each with an example question."""
    asked = _terms(question)
    called = {metric.name: _terms(" / ".join(_names(metric))) for metric in metrics}
    # A word in the names of many metrics (average, 平均) says little about which one is near.
    often = Counter(term for terms in called.values() for term in terms)

    def shared(metric: Metric) -> float:
        splits = _terms(
            " / ".join(
                f"{semantic.dimensions[name].label} / {semantic.dimensions[name].label_zh}"
                for name in metric.dimensions
                if name in semantic.dimensions
            )
        )
        names = sum(1 / often[term] ** 0.5 for term in asked & called[metric.name])
        in_label = len(asked & _terms(f"{metric.label} / {metric.label_zh}"))
        described = _terms(metric.description)
        return 3 * names + in_label + 0.3 * len(asked & described) + 0.2 * len(asked & splits)

    ranked = sorted(metrics, key=lambda metric: (-shared(metric), -len(metric.dimensions)))
    best = shared(ranked[0]) if ranked else 0.0
    # Where no domain is clearly meant, the nearest of each take turns.
    domains = [
        near
        for domain in dict.fromkeys(metric.domain for metric in ranked)
        if (near := [metric for metric in ranked if metric.domain == domain]) and shared(near[0]) >= best / 2
    ]
    turns = [metric for turn in zip_longest(*domains) for metric in turn if metric is not None]
    return tuple(_suggestion(metric, semantic, language) for metric in turns[:SUGGESTED])


def _names(metric: Metric) -> tuple[str, ...]:
    return (metric.name, metric.label, metric.label_zh, *metric.synonyms_en, *metric.synonyms_zh)


def infer(reading: Reading, metrics: Sequence[Metric], wanted: Sequence[set[str]]) -> list[Metric]:
    """The metrics that leftover words and qualities (slowest, p95) may mean; a single one is an answer."""
    said = [
        arc.text
        for arc in reading.arcs
        if isinstance(arc.content, Signal)
        and arc.content.kind == "order"
        and arc.content.text not in ("high", "low")
    ]
    left = [reading.units[arc.start].key for arc in reading.arcs if arc.content is None]
    if not said and not left:
        return []
    fitting = [
        metric
        for metric in metrics
        if wanted
        and all(names & set(metric.dimensions) for names in wanted)
        and (not said or any(is_said((*metric.words_high, *metric.words_low), word) for word in said))
        and all(key in name_keys(metric) for key in left)
    ]
    fitting = of_what_is_named(fitting, wanted)
    # A bare "slowest" asks for a mean.
    means = [metric for metric in fitting if {"avg", "average", "mean"} & set(metric.name.split("_"))]
    return means if len(fitting) > 1 and means else fitting


def of_what_is_named(metrics: list[Metric], wanted: Sequence[set[str]]) -> list[Metric]:
    """Of several metrics those of the named thing itself: "which stage is slowest" means the stage's own
    time, and "which agent" its runs'.
    """
    named = {name.rpartition("__")[2] for names in wanted for name in names}
    for own in (
        [metric for metric in metrics if named & set(metric.name.split("_"))],
        [metric for metric in metrics if named & name_keys(metric)],
    ):
        if len(metrics) > 1 and own:
            return own
    return metrics


def _terms(text: str) -> set[str]:
    """What two texts are compared by: stems of English content words, pairs of Chinese characters."""
    found = units(fold(text))
    words = {unit.key for unit in found if not unit.chinese and not is_stop(unit.text)}
    pairs = {a.text + b.text for a, b in pairwise(found) if a.chinese and b.chinese and a.end == b.start}
    return words | pairs


def _suggestion(metric: Metric, semantic: SemanticLayer, language: str) -> Nearest:
    categorical = [
        semantic.dimensions[name]
        for name in metric.dimensions
        if name in semantic.dimensions and semantic.dimensions[name].type == "categorical"
    ]
    # Dimensions whose values have been given other names are the ones that people ask by.
    categorical.sort(key=lambda dimension: -len(dimension.value_synonyms))
    if language == "zh":
        label = metric.label_zh or metric.label
        split = f"各{categorical[0].label_zh or categorical[0].label}的" if categorical else ""
        return Nearest(metric.name, label, f"上个月{split}{label}是多少？")
    split = f" by {categorical[0].label.lower()}" if categorical else ""
    return Nearest(metric.name, metric.label, f"{metric.label}{split} last month")
