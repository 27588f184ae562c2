"""What a meaning may be besides, where a metric of the project says nearly the same: both are asked back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agents.analyst.intent import By, Every, Intent, Mean, Measure, MetricOf, Running


def besides(intent: Intent, vocabulary: Any) -> Iterator[Intent]:
    """The same with other figures in place of its own."""
    for one in (_since_then(intent, vocabulary), _as_declared(intent, vocabulary)):
        if one:
            yield _with(intent, one)


def _since_then(intent: Intent, vocabulary: Any) -> dict[Measure, Measure]:
    """Cumulative sales this year: since its beginning, and not since the data's."""
    if intent.window is None or intent.window.start is None:
        return {}
    along = any(isinstance(one, Every) for one in intent.groups)
    found: dict[Measure, Measure] = {}
    for one in intent.measures:
        if isinstance(one, MetricOf) and (runs_on := vocabulary.semantic.metrics[one.name].runs_on):
            found[one] = Running(of=MetricOf(name=runs_on)) if along else MetricOf(name=runs_on)
    return found


def _as_declared(intent: Intent, vocabulary: Any) -> dict[Measure, Measure]:
    """Sales per customer on average: the project's own ratio may count other customers than those of the
    sales.
    """
    metrics = vocabulary.semantic.metrics
    found: dict[Measure, Measure] = {}
    for one in intent.measures:
        if not (isinstance(one, Mean) and isinstance(one.of, MetricOf) and isinstance(one.per, By)):
            continue
        for name, known in metrics.items():
            if known.kind != "ratio" or known.inputs[0] != one.of.name:
                continue
            below = metrics[known.inputs[1]]
            if one.per.dimension in (below.counts, below.counts_some):
                found[one] = MetricOf(name=name)
    return found


def _with(intent: Intent, other: dict[Measure, Measure]) -> Intent:
    order = intent.order
    for one, instead in other.items():
        if order and order.by == one:
            order = order.model_copy(update={"by": instead})
    measures = tuple(other.get(one, one) for one in intent.measures)
    return intent.model_copy(update={"measures": measures, "order": order})
