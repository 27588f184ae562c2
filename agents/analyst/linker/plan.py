"""What the linker makes of a question: a plan to compute, or a reasoned refusal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from warehouse.semantic import MetricQuery


@dataclass(frozen=True)
class Nearest:
    """What can be asked instead: its name, its label and an example question in the asker's language."""

    name: str
    label: str
    example: str


@dataclass(frozen=True)
class Threshold:
    """A condition on a metric's own value; `op` is one of > >= < <=."""

    metric: str
    op: str
    value: float


@dataclass(frozen=True)
class Shape:
    """What is made of the figures: shares of the total (`share_of`: only of the values that the filter on
    this dimension names), means a period of the grain `average_per`, growth from one period of the series
    to the next, and only the rows that pass the thresholds.
    """

    share: bool = False
    share_of: str = ""
    average_per: str = ""
    growth: bool = False
    thresholds: tuple[Threshold, ...] = ()

    @property
    def selects(self) -> bool:
        """Whether only some of the rows are kept, by their figures or as parts of a whole."""
        return bool(self.thresholds or self.share_of)

    def column(self, name: str) -> str:
        """What a metric's column is called in the result; other names stay."""
        return f"{name}_per_{self.average_per}" if self.average_per and "__" not in name else name


PLAIN = Shape()


@dataclass(frozen=True)
class Plan:
    """A question fully linked. `previous` is the earlier range of a comparison.

    `assumptions` are said to the asker in the question's language.
    """

    query: MetricQuery
    previous: tuple[datetime, datetime] | None
    assumptions: tuple[str, ...]
    shape: Shape = PLAIN


@dataclass(frozen=True)
class Declined:
    """Why the question is not answered, and what could be asked instead."""

    reason: str
    nearest: tuple[Nearest, ...] = ()
    unlinked: tuple[str, ...] = ()
