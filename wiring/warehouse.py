"""Opens the warehouse that the settings name, for as long as a block lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from warehouse import Warehouse, connect
from wiring.settings import Settings

__all__ = ["Warehouse", "open_warehouse"]


@contextmanager
def open_warehouse(settings: Settings, *, read_only: bool = False) -> Iterator[Warehouse]:
    """The warehouse as the writer or as the read-only user. Nothing is sent before the first call."""
    warehouse = connect(settings.warehouse, read_only=read_only)
    try:
        yield warehouse
    finally:
        warehouse.close()
