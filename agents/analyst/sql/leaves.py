"""What a measure is computed from: figures of metrics, and what many such figures come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agents.analyst.intent import By, Every, Measure, Threshold
from agents.analyst.sql.context import Context

Level = tuple[int, ...]
"""The groups, by their positions, that a figure is computed by."""


@dataclass(frozen=True)
class Cell:
    """A metric's figure; with `q` that quantile of the single values that it is made of."""

    metric: str
    context: Context
    level: Level
    q: float | None = None


@dataclass(frozen=True)
class Folded:
    """What the figures that a measure has for each value of `per` come to: their number, of those for which
    `having` holds, their mean, or a quantile.
    """

    how: Literal["count", "mean", "quantile"]
    of: Measure | None
    per: Every | By
    context: Context
    level: Level
    having: tuple[Threshold, ...] = ()
    q: float = 0.5


Leaf = Cell | Folded
