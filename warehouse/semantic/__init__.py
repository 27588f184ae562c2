"""The semantic layer: metrics and dimensions by name, compiled to SQL by MetricFlow."""

from warehouse.semantic.layer import SemanticLayer
from warehouse.semantic.model import Additivity, Dimension, Entity, Filter, Metric, MetricQuery
from warehouse.semantic.selection import Item, Selection

__all__ = [
    "Additivity",
    "Dimension",
    "Entity",
    "Filter",
    "Item",
    "Metric",
    "MetricQuery",
    "Selection",
    "SemanticLayer",
]
