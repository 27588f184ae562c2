"""The commerce sample: a shop made from a seed, delivered to ODS one logical day after another."""

from warehouse.ingestion.loader import (
    DEFAULT_HISTORY_DAYS,
    DEFAULT_SEED,
    LoadResult,
    default_history,
    load_days,
)

__all__ = ["DEFAULT_HISTORY_DAYS", "DEFAULT_SEED", "LoadResult", "default_history", "load_days"]
