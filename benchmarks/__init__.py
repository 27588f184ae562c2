"""What is measured, always as a ratio of two things timed in one run: ratios travel, seconds do not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """A `value` and, where there is one, the `baseline` in the same unit that it is a share of."""

    what: str
    value: float
    unit: str
    baseline: float | None = None
    against: str = ""

    @property
    def share(self) -> float | None:
        return self.value / self.baseline if self.baseline else None
