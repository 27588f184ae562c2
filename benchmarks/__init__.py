"""What is measured, always as a ratio of two things timed in one run, so that figures travel between machines."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """`value` of `unit`, as a share of `baseline` in the same unit, where there is something to compare with."""

    what: str
    value: float
    unit: str
    baseline: float | None = None
    against: str = ""

    @property
    def share(self) -> float | None:
        return self.value / self.baseline if self.baseline else None
