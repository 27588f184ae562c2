"""The rows of a bicycle shop's dbt project, and each of its metrics counted in Python."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any

FIXTURES = Path(__file__).parents[1] / "warehouse" / "fixtures"
NUMBERS = ("value", "fee", "cost")
INTEGERS = (
    "ride_id",
    "station_id",
    "rider_id",
    "bike_id",
    "city_id",
    "count",
    "station",
    "visit_id",
    "repair_id",
)


def rows(table: str) -> list[dict[str, Any]]:
    with (FIXTURES / "bikes" / "seeds" / f"{table}_raw.csv").open(encoding="utf-8", newline="") as file:
        return [{name: typed(name, text) for name, text in row.items()} for row in csv.DictReader(file)]


def typed(name: str, text: str) -> Any:
    if name in NUMBERS:
        return Fraction(Decimal(text)) if text else None
    if name in INTEGERS:
        return int(text) if text else None
    if name in ("date", "seen"):
        return datetime.fromisoformat(text).date() if text else None
    if name in ("day", "joined", "done"):
        return date.fromisoformat(text) if text else None
    # The two texts that may be null in their tables.
    return text if text or name not in ("region", "plan") else None


STATIONS = {row["station_id"]: row for row in rows("stations")}
CITIES = {row["city_id"]: row for row in rows("cities")}
BIKES = {row["bike_id"]: row for row in rows("bikes")}
RIDES = rows("rides")

Row = dict[str, Any]
Pick = Callable[[Row], Any]


def station(name: str) -> Pick:
    return lambda row: STATIONS.get(row["station_id"], {}).get(name)


def city(name: str) -> Pick:
    return lambda row: CITIES.get(station("city_id")(row), {}).get(name)


def distance(row: Row) -> str | None:
    value = station("value")(row)
    return None if value is None else "far" if value > 5 else "near"


def month(row: Row) -> date | None:
    day = row.get("date") or row.get("day") or row.get("seen")
    return day.replace(day=1) if day else None


PLACES: dict[str, Pick] = {
    "station__name": station("name"),
    "station__distance": distance,
    "station__city__name": city("name"),
    "station__city__region": city("region"),
}
OF_A_RIDE: dict[str, Pick] = {
    **PLACES,
    "bike__label": lambda row: BIKES.get(row["bike_id"], {}).get("label"),
    "ride__kind": lambda row: row["kind"],
    "ride__size": lambda row: "group" if row["count"] > 2 else row["kind"],
    "metric_time__month": month,
    "ride__date__day": lambda row: row["date"],
}


def present(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def discrete(level: Fraction, values: list[Any]) -> Any:
    return sorted(values)[ceil(level * len(values)) - 1] if values else None


# A metric with a filter of its own has no row where nothing passes it.
FILTERED = ("refunds", "refund_rate", "flemish_rides")


def kinds(group: list[Row], kind: str) -> int | None:
    return sum(row["kind"] == kind for row in group) or None


def fee(group: list[Row]) -> Fraction:
    return sum(((row["fee"] or 0) * row["count"] for row in group), Fraction())


def net(group: list[Row]) -> Fraction:
    return sum((row["value"] - (row["fee"] or 0) for row in group), Fraction())


def ratio(above: Any, below: Any) -> float | None:
    return float(Fraction(above) / Fraction(below)) if above is not None and below else None


def quotients(group: list[Row]) -> float | None:
    found = [row["fee"] / row["value"] for row in group if row["fee"] is not None]
    return float(sum(found)) if found else None


METRICS: dict[str, Callable[[list[Row]], Any]] = {
    "value": lambda group: sum(-row["value"] if row["kind"] == "refund" else row["value"] for row in group),
    "fee": fee,
    "count": lambda group: sum(row["count"] for row in group),
    "net": net,
    "docks": lambda group: sum(row["station"] + row["count"] for row in group),
    "fee_parts": quotients,
    "rides": len,
    "guests": lambda group: sum(row["kind"] == "guest" for row in group),
    "riders": lambda group: len(set(present(row["rider_id"] for row in group))),
    "average_value": lambda group: ratio(sum(row["value"] for row in group), len(group)),
    "largest_fee": lambda group: max(present(row["fee"] for row in group), default=None),
    "median_value": lambda group: median(row["value"] for row in group),
    "fee_p90": lambda group: discrete(Fraction(9, 10), present(row["fee"] for row in group)),
    "refunds": lambda group: kinds(group, "refund"),
    "flemish_rides": lambda group: sum(city("region")(row) == "Flanders" for row in group) or None,
    "net_per_ride": lambda group: ratio(net(group), len(group)),
    "refund_rate": lambda group: ratio(kinds(group, "refund"), len(group)),
    "fee_rate": lambda group: ratio(fee(group), net(group)),
    "margin": lambda group: net(group) - sum(row["count"] for row in group),
}
