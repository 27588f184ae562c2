"""Exact quantiles as aggregates, which BigQuery has for windows alone: SQL around the sorted values."""

from __future__ import annotations

from fractions import Fraction


def _sorted(arg: str) -> str:
    return f"ARRAY_AGG({arg} IGNORE NULLS ORDER BY {arg})"


def continuous(level: Fraction, arg: str) -> str:
    """PERCENTILE_CONT, which BigQuery has for windows alone: between the two values about the position."""
    position = f"{float(level)!r} * (COUNT({arg}) - 1)"
    low = f"{_sorted(arg)}[SAFE_OFFSET(CAST(FLOOR({position}) AS INT64))]"
    high = f"{_sorted(arg)}[SAFE_OFFSET(CAST(CEIL({position}) AS INT64))]"
    return f"{low} + ({position} - FLOOR({position})) * ({high} - {low})"


def discrete(level: Fraction, arg: str) -> str:
    """PERCENTILE_DISC: the first value that so many are not above."""
    position = f"DIV(COUNT({arg}) * {level.numerator} + {level.denominator - 1}, {level.denominator})"
    return f"{_sorted(arg)}[SAFE_OFFSET(GREATEST(1, {position}) - 1)]"
