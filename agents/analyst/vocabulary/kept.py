"""The values of a project's dimensions as they are in the warehouse now, read again in the background."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from warehouse.client import Warehouse
from warehouse.errors import TidemarkError
from warehouse.semantic import SemanticLayer

LOG = logging.getLogger(__name__)
# What is more frequent comes first; nobody asks by name for the rest of a million.
VALUES_OF_A_COLUMN = 20_000
VALUES_IN_ALL = 200_000
REFRESH_SECONDS = 300.0

T = TypeVar("T")


class Refreshed(Generic[T]):
    """What is made once at the start and then again in the background when it is asked for and old; until the
    new one is there, and where it cannot be made, the old one is given. Nobody waits.
    """

    def __init__(self, make: Callable[[], T], seconds: float = REFRESH_SECONDS) -> None:
        self._make, self._seconds = make, seconds
        self._value = make()
        self._until = time.monotonic() + seconds
        self._making = threading.Lock()

    def get(self) -> T:
        value = self._value
        if time.monotonic() >= self._until and self._making.acquire(blocking=False):
            threading.Thread(target=self._again, name="vocabulary", daemon=True).start()
        return value

    def _again(self) -> None:
        try:
            self._value = self._make()
        except TidemarkError as error:
            LOG.warning("The values of the dimensions could not be read again, the old ones stay: %s", error)
        finally:
            self._until = time.monotonic() + self._seconds
            self._making.release()


def read_shared_names(
    semantic: SemanticLayer, warehouse: Warehouse, naming: Iterable[tuple[str, str]]
) -> Mapping[str, Mapping[str, int]]:
    """Of each dimension that things are called by, with the expression of their key: the names that several
    of them have, and how many have it. What may not be read has none.
    """
    found: dict[str, Mapping[str, int]] = {}
    columns: dict[tuple[str, str], str] = {}
    for name, key in naming:
        dimension = semantic.dimensions[name]
        first = columns.setdefault((dimension.table, dimension.expression), name)
        if first in found:
            found[name] = found[first]
            continue
        try:
            found[name] = semantic.shared_values(name, key, warehouse, limit=VALUES_OF_A_COLUMN)
        except TidemarkError as error:
            LOG.warning("Whether several things have one %s cannot be read: %s", name, error)
            found[name] = {}
    return found


def read_values(semantic: SemanticLayer, warehouse: Warehouse) -> Mapping[str, Sequence[str]]:
    """The values of each categorical dimension, the most frequent first; of a column that several dimensions
    show by one of these. What may not be read has none.
    """
    found: dict[str, list[str]] = {}
    columns: set[tuple[str, str]] = set()
    left = VALUES_IN_ALL
    for name, dimension in semantic.dimensions.items():
        column = (dimension.table, dimension.expression)
        if dimension.type != "categorical" or column in columns or left <= 0:
            continue
        columns.add(column)
        try:
            found[name] = semantic.values(name, warehouse, limit=min(VALUES_OF_A_COLUMN, left))
        except TidemarkError as error:
            LOG.warning("The values of %s cannot be read, so none is known by name: %s", name, error)
            continue
        left -= len(found[name])
    return found
