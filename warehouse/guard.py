"""The SQL guard: one read-only SELECT over the catalogue's tables, or a refusal that says what to write instead."""

from __future__ import annotations

from collections.abc import Collection

from warehouse.catalogue import Catalogue


def guard(
    sql: str,
    catalogue: Catalogue,
    dialect: str = "clickhouse",
    *,
    layers: Collection[str] = ("dwd", "dws", "ads"),
    max_rows: int = 10_000,
) -> str:
    """Return the statement, normalised and with a LIMIT of at most `max_rows`; raise `GuardError` to refuse."""
    raise NotImplementedError
