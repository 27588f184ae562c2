"""Fits weights to judged readings: which of a question's readings is best, and how sure one may be of it.

Ranking is an averaged perceptron over the k best readings of each question (Collins 2002); confidence is a
logistic regression by Newton's method, ridge on all but its intercept, judged by cross validation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agents.analyst.grammar.confidence import INTERCEPT, confidence

_RIDGE = 1.0
_STEPS = 50
# A few questions do not make a merit of what was set as a fault.
_FARTHEST = 0.3
Features = Mapping[str, float]


@dataclass(frozen=True)
class Candidate:
    """One reading of a question, and whether the rows that it leads to are the gold's."""

    features: Features
    good: bool


def weight(weights: Mapping[str, float], feature: str) -> float:
    """A feature's weight, or that of its family: what stands before the colon."""
    return weights.get(feature, weights.get(feature.partition(":")[0], 0.0))


def scored(weights: Mapping[str, float], features: Features) -> float:
    return sum(weight(weights, name) * count for name, count in features.items())


def ranked(
    questions: Sequence[Sequence[Candidate]],
    start: Mapping[str, float],
    *,
    rounds: int = 20,
    rate: float = 0.05,
    margin: float = 0.5,
) -> dict[str, float]:
    """Weights by which a good reading stands over all that are not, by a margin, as often as can be.

    Only questions with both kinds teach anything. A feature that `start` knows by its family alone gets a
    weight of its own once it has to move.
    """
    teaching = [one for one in questions if {candidate.good for candidate in one} == {True, False}]
    moved: dict[str, float] = defaultdict(float)
    total: dict[str, float] = defaultdict(float)
    steps = 0
    for _ in range(rounds):
        for candidates in teaching:
            now = {name: weight(start, name) + shift for name, shift in moved.items()}
            known = {**start, **now}
            best = max((c for c in candidates if c.good), key=lambda c: scored(known, c.features))
            worst = max((c for c in candidates if not c.good), key=lambda c: scored(known, c.features))
            if scored(known, best.features) - scored(known, worst.features) < margin:
                for name, count in best.features.items():
                    moved[name] += rate * count
                for name, count in worst.features.items():
                    moved[name] -= rate * count
            steps += 1
            for name, shift in moved.items():
                total[name] += shift
    mean = {name: shift / steps for name, shift in total.items() if abs(shift / steps) >= rate / 10}
    bounded = {name: max(-_FARTHEST, min(_FARTHEST, shift)) for name, shift in mean.items()}
    return {**start, **{name: round(weight(start, name) + shift, 3) for name, shift in bounded.items()}}


def logistic(rows: Sequence[Features], right: Sequence[bool]) -> dict[str, float]:
    """Weights of the signals, with an intercept, under which the outcomes are likeliest."""
    names = sorted({name for row in rows for name in row})
    table = np.array([[1.0, *(row.get(name, 0.0) for name in names)] for row in rows])
    outcome = np.array(right, dtype=float)
    ridge = np.diag([1e-6, *(_RIDGE for _ in names)])
    weights = np.zeros(len(names) + 1)
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(table @ weights, -30, 30)))
        slope = table.T @ (outcome - chance) - ridge @ weights
        curve = (table * (chance * (1 - chance))[:, None]).T @ table + ridge
        step = np.linalg.solve(curve, slope)
        weights += step
        if np.abs(step).max() < 1e-8:
            break
    return dict(zip((INTERCEPT, *names), map(float, weights), strict=True))


def cross_validated(rows: Sequence[Features], right: Sequence[bool], folds: int = 10) -> list[float]:
    """The confidence in each row by weights that were fitted on the others' folds."""
    found = [0.0] * len(rows)
    for fold in range(folds):
        seen = [at for at in range(len(rows)) if at % folds != fold]
        weights = logistic([rows[at] for at in seen], [right[at] for at in seen])
        for at in range(fold, len(rows), folds):
            found[at] = confidence(rows[at], weights)
    return found
