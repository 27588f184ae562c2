"""From an intent to the statement that answers it, on any engine."""

from agents.analyst.sql.compile import compiled
from agents.analyst.sql.statement import Column, Statement

__all__ = ["Column", "Statement", "compiled"]
