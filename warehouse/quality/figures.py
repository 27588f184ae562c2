"""The figures that a gate judges, as small frames: a row a day or a total, with what it may be beside it.

They are computed by the warehouse, one statement a table, so any engine that the client speaks to will do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import pandas as pd
from sqlglot import exp, parse_one

from warehouse.client import Warehouse
from warehouse.errors import PermanentError
from warehouse.quality.suite import Daily, Totals

# A day is judged by the days before it: by as many as this, and not at all by fewer than a fortnight.
DAYS_BEFORE = 28
FEWEST_DAYS_BEFORE = 14
# A day is judged for a week after it was loaded: what a person has seen for so long is accepted.
JUDGED_FOR = timedelta(days=7)
# How far back a gate looks, however long the history is.
LOOKS_BACK = timedelta(days=460)
# What a day is compared to leaves out the extremes of the days before, or one bad day would excuse the next.
_LOW, _HIGH = 0.05, 0.95
# What would be needed is rounded up to the next of these steps: a bound that fits one day refuses the next.
_STEPS_PER_UNIT = 20
_FRESHNESS = ["newest_day", "value", "lowest", "highest"]


Kind = Literal["freshness", "volume", "distribution", "totals"]


@dataclass(frozen=True)
class Frame:
    """`value` is to lie between `lowest` and `highest` in every row; a row's first column names it. Of a
    figure of each day, its name and `within` are in the suite.
    """

    table: str
    kind: Kind
    expectation: str
    rows: pd.DataFrame
    figure: str = ""
    within: float | None = None


def daily_frames(warehouse: Warehouse, daily: Daily, now: datetime) -> Iterator[Frame]:
    """Rows and figures of each day, and the newest day."""
    found = _days(warehouse, daily, now)
    if daily.fresh_within_days is not None:
        due = now.date() - timedelta(days=daily.fresh_within_days)
        newest = found["day"].max() if len(found) else None
        # Its age in days, of which a day of the future has none.
        age = float((now.date() - newest).days) if newest else float("inf")
        rows = pd.DataFrame([(newest, age, 0.0, float(daily.fresh_within_days))], columns=_FRESHNESS)
        yield Frame(daily.table, "freshness", f"the newest day is {due} or later", rows)
        found = _with_missing_days(found)
    for name, figure in daily.figures.items():
        yield Frame(
            daily.table,
            "volume" if name == "rows" else "distribution",
            f"{name} of each day within {figure.within:.0%} of the {DAYS_BEFORE} days before",
            _judged(found, name, figure.within),
            name,
            figure.within,
        )


def needed(rows: pd.DataFrame, within: float) -> float | None:
    """The share beyond the days before by which every row would pass; None where no share lets them pass."""
    if not 0 < within < 1:
        return None
    low, high = rows["lowest"] / (1 - within), rows["highest"] / (1 + within)
    if (low <= 0).any() or (high <= 0).any():
        return None
    beyond = max(((low - rows["value"]) / low).max(), ((rows["value"] - high) / high).max())
    # Of rows that have no value nothing is known, and whoever may lie all the way below has no bound left.
    if rows["value"].isna().any() or (rows["value"] <= 0).any() or not math.isfinite(beyond):
        return None
    return math.ceil((beyond + 0.005) * _STEPS_PER_UNIT) / _STEPS_PER_UNIT


def totals_frames(warehouse: Warehouse, totals: Totals) -> Iterator[Frame]:
    """Each figure of every other side, and what the first side says of it, by key."""
    (first, expected), *others = (
        (table, _frame(warehouse, parse_one(sql, into=exp.Select))) for table, sql in totals.sides.items()
    )
    figures = [column for column in expected.columns if column != totals.key]
    for table, found in others:
        if set(found.columns) != set(expected.columns):
            raise PermanentError(
                f"The gate's totals {totals.name!r}: {table} is asked for {', '.join(found.columns)} and "
                f"{first} for {', '.join(expected.columns)}. Select the same names from both."
            )
        both = expected.merge(found, how="outer", on=totals.key, suffixes=("_due", "_held"), indicator="side")
        for figure in figures:
            # What a side has no row of is 0; what it has no figure of stays none, and is refused.
            due = both[f"{figure}_due"].astype(float).mask(both["side"] == "right_only", 0.0)
            held = both[f"{figure}_held"].astype(float).mask(both["side"] == "left_only", 0.0)
            rows = pd.DataFrame(
                {
                    totals.key: both[totals.key],
                    "value": held,
                    "lowest": due - totals.off_by,
                    "highest": float("inf") if totals.at_least else due + totals.off_by,
                }
            )
            yield Frame(table, "totals", f"{totals.name}: {figure}", rows)


def _days(warehouse: Warehouse, daily: Daily, now: datetime) -> pd.DataFrame:
    """One row a day: its rows, its figures, and whether it is judged."""
    wanted = {
        "day": exp.column(daily.day),
        "loaded_at": exp.Max(this=exp.column(daily.loaded_at)),
        **{name: parse_one(figure.of) for name, figure in daily.figures.items()},
    }
    # By place and not by name: ClickHouse reads a column's name as an alias of the same SELECT.
    columns = [exp.alias_(tree, f"column_{place}") for place, tree in enumerate(wanted.values())]
    since = exp.cast(exp.Literal.string(str((now - LOOKS_BACK).date())), "date")
    tree = (
        exp.select(*columns)
        .from_(exp.to_table(daily.table))
        .where(exp.GTE(this=exp.column(daily.day), expression=since))
        .group_by(exp.column(daily.day))
    )
    found = (
        _frame(warehouse, tree).set_axis(list(wanted), axis="columns").sort_values("day", ignore_index=True)
    )
    found["judged"] = [loaded >= now - JUDGED_FOR for loaded in found.pop("loaded_at")]
    found["came"] = True
    return found


def _with_missing_days(found: pd.DataFrame) -> pd.DataFrame:
    """A day that was passed over has no rows, and is judged while it is missed from those before."""
    if found.empty:
        return found
    newest = found["day"].max()
    every = pd.DataFrame({"day": pd.date_range(found["day"].min(), newest).date})
    found = every.merge(found, how="left", on="day")
    recent = found["day"] > newest - timedelta(days=DAYS_BEFORE)
    found["came"] = found["came"].notna()
    found["judged"] = found["judged"].where(found["came"], recent).astype(bool)
    if "rows" in found:
        found["rows"] = found["rows"].fillna(0)
    return found


def _judged(found: pd.DataFrame, figure: str, within: float) -> pd.DataFrame:
    """The days to judge by a figure, with what it may be: the days before, a share beyond either way."""
    value = found[figure].astype(float)
    before = value.shift(1).rolling(DAYS_BEFORE, min_periods=FEWEST_DAYS_BEFORE)
    rows = pd.DataFrame(
        {
            "day": found["day"],
            "value": value,
            "typical": before.median(),
            "lowest": before.quantile(_LOW) * (1 - within),
            "highest": before.quantile(_HIGH) * (1 + within),
        }
    )
    # A day that did not come has no mean; one that came without any value is judged, and refused.
    there = found["came"] | (figure == "rows")
    return rows[found["judged"] & there & rows["typical"].notna()].round(4)


def _frame(warehouse: Warehouse, tree: exp.Query) -> pd.DataFrame:
    result = warehouse.query(tree)
    return pd.DataFrame(result.rows, columns=result.column_names)
