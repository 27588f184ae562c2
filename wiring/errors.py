"""What anything that is opened here raises on purpose."""

from __future__ import annotations

from warehouse.errors import TidemarkError

__all__ = ["TidemarkError"]
