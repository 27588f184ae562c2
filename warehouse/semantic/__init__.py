"""The semantic layer: metrics and dimensions by name, compiled to SQL by MetricFlow."""

from warehouse.semantic.layer import SemanticLayer
from warehouse.semantic.model import Additivity, Dimension, Entity, Filter, Metric, MetricQuery

__all__ = ["Additivity", "Dimension", "Entity", "Filter", "Metric", "MetricQuery", "SemanticLayer"]
