"""The warehouse room's public face: one client, one guard, one catalogue, one semantic layer.

The semantic layer (`warehouse.semantic`) and the quality gates are imported from their own modules, because
they cost seconds of imports that a query does not need.
"""

from warehouse.catalogue import Catalogue, Table
from warehouse.client import Column, DryRun, Limits, Result, Warehouse, connect
from warehouse.errors import PermanentError, TransientError, WarehouseError
from warehouse.guard import guard
from warehouse.settings import WarehouseSettings

__all__ = [
    "Catalogue",
    "Column",
    "DryRun",
    "Limits",
    "PermanentError",
    "Result",
    "Table",
    "TransientError",
    "Warehouse",
    "WarehouseError",
    "WarehouseSettings",
    "connect",
    "guard",
]
