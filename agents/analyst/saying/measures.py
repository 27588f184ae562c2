"""What is known of a measure's figures from what it is made of: their unit."""

from __future__ import annotations

from agents.analyst import units
from agents.analyst.intent import (
    Change,
    CountOf,
    Difference,
    Mean,
    Measure,
    MetricOf,
    QuantileOf,
    Ratio,
    Running,
    Share,
    Slice,
)
from agents.analyst.saying.names import Layer


def unit_of(measure: Measure, semantic: Layer) -> str:
    """A name of units.yml, or empty where it is not known."""
    match measure:
        case MetricOf():
            metric = semantic.metrics.get(measure.name)
            return metric.unit if metric else ""
        case CountOf():
            return "count"
        case Share():
            return "ratio"
        case Ratio():
            over, under = (unit_of(one, semantic) for one in (measure.numerator, measure.denominator))
            return "ratio" if over and over == under else over if under == "count" else ""
        case Difference():
            left, right = (unit_of(one, semantic) for one in (measure.left, measure.right))
            return changed(left) if left == right else ""
        case Change():
            return "ratio" if measure.form == "rate" else changed(unit_of(measure.of, semantic))
        case QuantileOf() | Slice() | Mean() | Running():
            return unit_of(measure.of, semantic)


def changed(unit: str) -> str:
    """The unit of a difference of two figures."""
    return units.unit(unit).changes_by or unit
