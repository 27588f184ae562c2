"""The warehouse room's public face: a connection, its records, its errors and the catalogue.

The guard, the semantic layer and the quality gates are imported from their own modules, because they cost
imports that a query does not need.
"""

from warehouse.catalogue import Catalogue, Table
from warehouse.client import Column, Cost, DryRun, Limits, LiveTable, Result, Warehouse
from warehouse.engines import connect, engine_of
from warehouse.errors import PermanentError, TidemarkError, TransientError
from warehouse.settings import WarehouseSettings

__all__ = [
    "Catalogue",
    "Column",
    "Cost",
    "DryRun",
    "Limits",
    "LiveTable",
    "PermanentError",
    "Result",
    "Table",
    "TidemarkError",
    "TransientError",
    "Warehouse",
    "WarehouseSettings",
    "connect",
    "engine_of",
]
