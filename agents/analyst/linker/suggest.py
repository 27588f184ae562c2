"""What can be asked instead, and the metric that a question describes without naming it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from agents.analyst.linker.lattice import Reading
from agents.analyst.linker.leftovers import name_keys
from agents.analyst.linker.plan import Nearest
from agents.analyst.linker.signals import Signal, is_stop
from agents.analyst.linker.text import fold, units
from warehouse.semantic import Metric, SemanticLayer

SUGGESTED = 4


def nearest(
    question: str, metrics: Sequence[Metric], semantic: SemanticLayer, language: str
) -> tuple[Nearest, ...]:
    """The metrics whose words and meaning share most with the question, each with an example question."""
    asked = _terms(question)

    def shared(metric: Metric) -> float:
        called = (metric.name, metric.label, metric.label_zh, *metric.synonyms_en, *metric.synonyms_zh)
        names = _terms(" / ".join(called))
        described = _terms(metric.description)
        splits = _terms(
            " / ".join(
                f"{semantic.dimensions[name].label} / {semantic.dimensions[name].label_zh}"
                for name in metric.dimensions
                if name in semantic.dimensions
            )
        )
        return (
            3 * len(asked & names) / (1 + len(names)) ** 0.25 + len(asked & described) + len(asked & splits)
        )

    ranked = sorted(metrics, key=lambda metric: (-shared(metric), -len(metric.dimensions)))
    return tuple(_suggestion(metric, semantic, language) for metric in ranked[:SUGGESTED])


def infer(reading: Reading, metrics: Sequence[Metric], wanted: Sequence[set[str]]) -> list[Metric]:
    """The metrics that the question's leftover words and qualities (slowest, p95) may mean; one is an
    answer.
    """
    words = [
        arc.content.text
        for arc in reading.arcs
        if isinstance(arc.content, Signal) and arc.content.kind == "order"
    ]
    left = [reading.units[arc.start].key for arc in reading.arcs if arc.content is None]
    fitting = [
        metric for metric in metrics if wanted and all(names & set(metric.dimensions) for names in wanted)
    ]
    qualities = [word for word in words if word not in ("high", "low")]
    if qualities:
        fitting = [m for m in fitting if any(word in (*m.words_high, *m.words_low) for word in qualities)]
    elif not left:
        return []
    fitting = [metric for metric in fitting if all(key in name_keys(metric) for key in left)]
    named = {name.rpartition("__")[2] for names in wanted for name in names}
    # "Which stage is slowest" means the stage's own time; and a bare "slowest" asks for a mean.
    for narrower in (
        [metric for metric in fitting if named & set(metric.name.split("_"))],
        [metric for metric in fitting if {"avg", "average", "mean"} & set(metric.name.split("_"))],
    ):
        if len(fitting) > 1 and narrower:
            fitting = [metric for metric in fitting if metric in narrower]
    return fitting


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
