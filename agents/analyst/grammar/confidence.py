"""How likely the best reading is the right one, from how it came about and how far the next is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

INTERCEPT = "intercept"
# By so much, and no more, a reading stands over the next.
_MARGIN = 2.0
_STEEPEST = 30.0


def signals(features: Mapping[str, float], margin: float) -> dict[str, float]:
    """What confidence depends on: how far the reading is ahead, and how much of each kind went into it."""
    found = {"margin": min(margin, _MARGIN)}
    for name, count in features.items():
        family = name.partition(":")[0]
        found[family] = found.get(family, 0.0) + count
    return found


def confidence(given: Mapping[str, float], weights: Mapping[str, float] | None = None) -> float:
    """The chance, 0 to 1, that a reading with these signals is right; by the shipped weights unless told."""
    known = shipped() if weights is None else weights
    total = known[INTERCEPT] + sum(known.get(name, 0.0) * value for name, value in given.items())
    return 1 / (1 + math.exp(-max(-_STEEPEST, min(_STEEPEST, total))))


@cache
def shipped() -> dict[str, float]:
    """Fitted by `python -m evaluation fit`; docs/calibration.md shows how far they can be trusted."""
    text = Path(__file__).with_name("confidence.yml").read_text(encoding="utf-8")
    return {str(name): float(weight) for name, weight in yaml.safe_load(text).items()}
