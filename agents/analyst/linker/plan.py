"""What the linker makes of a question: a plan to compute, or a reasoned refusal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from warehouse.semantic import MetricQuery


@dataclass(frozen=True)
class Nearest:
    """Something that can be asked instead: its name, its label and an example question in the asker's
    language.
    """

    name: str
    label: str
    example: str


@dataclass(frozen=True)
class Plan:
    """A question fully linked. `previous` is the earlier range of a comparison.

    `assumptions` are said to the asker in the question's language; `coverage` is the share of the question's
    content words that found a meaning.
    """

    query: MetricQuery
    previous: tuple[datetime, datetime] | None
    assumptions: tuple[str, ...]
    coverage: float
    superlative: str = ""


@dataclass(frozen=True)
class Declined:
    """Why the question is not answered, and what could be asked instead."""

    reason: str
    nearest: tuple[Nearest, ...] = ()
    unlinked: tuple[str, ...] = ()
