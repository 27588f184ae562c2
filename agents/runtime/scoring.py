"""What a scorer returns: a measured value with the reasons for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """A value in 0..1 and the reasons for it; `final` says that no further try can raise it."""

    value: float
    reasons: tuple[str, ...] = ()
    final: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.value <= 1.0:
            raise ValueError(f"a score lies in 0..1, got {self.value}")


def weighted(checks: Iterable[tuple[float, bool, str]]) -> Score:
    """Score of the checks passed: (weight, passed, what it means when it did not pass)."""
    listed = list(checks)
    total = sum(weight for weight, _, _ in listed)
    passed = sum(weight for weight, ok, _ in listed if ok)
    return Score(round(passed / total, 4), tuple(reason for _, ok, reason in listed if not ok))
