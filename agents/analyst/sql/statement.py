"""A statement and what each of its columns means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agents.analyst.intent import Group, Measure
from warehouse.semantic import Additivity

Role = Literal["key", "value", "before", "change", "change_rate", "order"]
UNPROVEN = Additivity("none")


@dataclass(frozen=True)
class Column:
    """A column of a result. `value` is a measure's figure; of two compared periods `before` is the earlier
    one's, `change` the difference and `change_rate` its share of the amount before; `order` is what the rows
    are ordered by without being asked for. `unit` is a name of units.yml, or empty where nobody knows.
    """

    name: str
    role: Role
    meaning: Measure | Group
    unit: str = ""
    additivity: Additivity = UNPROVEN
    zero_without_rows: bool = False


@dataclass(frozen=True)
class Statement:
    """SQL that is one query. It asks for one row more than `limit`, of each part of a partition, so that ties
    and what is left out are seen.
    """

    sql: str
    columns: tuple[Column, ...]
    limit: int | None = None
