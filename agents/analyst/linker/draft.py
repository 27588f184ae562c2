"""What is known of a query while it is being made, and how a question is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from agents.analyst.linker.lattice import Arc, Reading
from agents.analyst.linker.wording import say
from warehouse.semantic import Dimension, Filter, Metric


class Refusal(Exception):
    """Raised inside the linker where the question turns out to be unanswerable."""

    def __init__(self, reason: str, unlinked: Sequence[str] = ()) -> None:
        super().__init__(reason)
        self.unlinked = tuple(unlinked)


@dataclass
class Draft:
    """What is known of the query so far."""

    reading: Reading
    language: str
    now: datetime
    known: Mapping[str, Metric] = field(default_factory=dict)
    metrics: list[Metric] = field(default_factory=list)
    metric_arcs: list[Arc] = field(default_factory=list)
    group_by: list[str] = field(default_factory=list)
    filters: list[Filter] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    consumed: set[Arc] = field(default_factory=set)
    as_values: set[Arc] = field(default_factory=set)
    context: list[Arc] = field(default_factory=list)
    growth: str = ""

    def note(self, key: str, *values: str) -> None:
        self.assumptions.append(say(key, self.language, *values))

    def refuse(self, key: str, *values: str) -> Refusal:
        return Refusal(say(key, self.language, *values))

    def label(self, record: Metric | Dimension) -> str:
        return record.label_zh or record.label if self.language == "zh" else record.label
