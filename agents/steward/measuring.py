"""What is counted of each day beside the other days: rows, keys, loads, empty and impossible values."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from statistics import median
from typing import Any

from agents.steward.case import Cite, Evidence, Sign, Source
from agents.steward.statistics import LEAST_DAYS, RARE, others, outlier, surprise


def measure_profile(source: Source, evidence: Evidence) -> list[Sign]:
    """Loads, repeated keys, negative and empty values, and those that are no number."""
    at = {name: number for number, name in enumerate(evidence.columns)}
    rows = {row[0]: row for row in evidence.rows}
    place = {row[0]: number for number, row in enumerate(evidence.rows)}
    signs: list[Sign] = []
    if len(rows) < LEAST_DAYS:
        return signs

    def sign(kind: Any, day: date, found: int, column: str = "", **figures: float) -> None:
        signs.append(
            Sign(
                kind=kind, table=source.name, day=day, column=column, rows=found,
                of_rows=rows[day][at["row_count"]], figures=figures,
                cites=(Cite(evidence=evidence.id, row=place[day]),),
            )
        )  # fmt: skip

    for day, row in rows.items():
        rest = [rows[other] for other in others(rows, day)]
        size, usual_size = row[at["row_count"]], sum(other[at["row_count"]] for other in rest)

        def expected(
            column: str, rest: list[tuple[Any, ...]] = rest, size: int = size, all_: int = usual_size
        ) -> float:
            return (sum(other[at[column]] for other in rest) + 0.5) / (all_ + 1) * size

        if row[at["loads"]] > 1:
            sign("two_loads", day, size, loads=row[at["loads"]])
        if source.key and (again := row[at["loaded_again"]]):
            sign("loaded_again", day, again)
        if source.key and (repeated := row[at["repeated"]]):
            usual = sum(other[at["repeated"]] for other in rest)
            # Where its source sends none twice, one is a fact.
            exact = not usual and not source.repeats
            if exact or surprise(repeated, (usual + 0.5) / (usual_size + 1) * size) > RARE:
                sign("repeated", day, repeated, usual=round(usual / usual_size * 100, 2))
        for name in source.columns:
            column = f"{name}__empty"
            if surprise(row[at[column]], expected(column)) > 4:
                share = [other[at[column]] / other[at["row_count"]] for other in rest]
                if row[at[column]] / size > max(share) + (0.01 if max(share) else 0):
                    sign("empty", day, row[at[column]], name, usual=round(max(share) * 100, 2))
            column = f"{name}__not_a_number"
            if column in at and row[at[column]]:
                usual = sum(other[at[column]] for other in rest)
                if not usual or surprise(row[at[column]], expected(column)) > RARE:
                    sign("not_a_number", day, row[at[column]], name)
            column = f"{name}__negative"
            if column in at and row[at[column]]:
                usual = sum(other[at[column]] for other in rest)
                if not usual or surprise(row[at[column]], expected(column)) > RARE:
                    sign("negative", day, row[at[column]], name, least=row[at[f"{name}__min"]])
    return signs


VOLUME_COLUMNS = ("table", "day", "rows", "expected by the other days and tables")


def measure_volume(
    profiles: Mapping[str, Mapping[date, int]], evidence_id: str
) -> tuple[list[Sign], list[tuple[Any, ...]]]:
    """Rows a day against the table's own other days, less what all tables have in common on that day. Also
    the rows that say so.
    """
    logs = {
        table: {day: math.log(max(n, 0.5)) for day, n in days.items()}
        for table, days in profiles.items()
        if len(days) >= LEAST_DAYS and sum(n > 0 for n in days.values()) > 0.9 * len(days)
    }
    middles = {table: median(days.values()) for table, days in logs.items()}
    signs: list[Sign] = []
    cited: list[tuple[Any, ...]] = []
    for table, days in logs.items():
        rest: dict[date, float] = {}
        for day, value in days.items():
            busy = [
                logs[other][day] - middles[other] for other in logs if other != table and day in logs[other]
            ]
            rest[day] = value - middles[table] - (median(busy) if len(busy) >= 3 else 0.0)
        for day, value in rest.items():
            found = profiles[table][day]
            expected = round(math.exp(logs[table][day] - value))
            by_chance = 1.2 / math.sqrt(max(expected, 1))
            away = outlier(value, [rest[other] for other in others(rest, day)], by_chance)
            kind = _volume(found, expected, value, away, logs[table][day] - middles[table])
            if kind is None:
                continue
            cited.append((table, day, found, expected))
            signs.append(
                Sign(
                    kind=kind, table=table, day=day, rows=abs(expected - found), of_rows=found,
                    figures={"expected": expected}, cites=(Cite(evidence=evidence_id, row=len(cited) - 1),),
                )
            )  # fmt: skip
    return signs, cited


def _volume(found: int, expected: int, value: float, away: float, alone: float) -> Any:
    """A day is short only if it is so by the other tables and beside the table's own days alone: on a day
    that was busy for the others, one that was as always is not.
    """
    if expected < 5:
        return None
    if found == 0:
        return "no_rows"
    if away < -RARE and value < math.log(0.85) and alone < math.log(0.95):
        return "fewer_rows"
    busier = away > RARE and value > math.log(1.18) and alone > math.log(1.05)
    return "more_rows" if busier else None


def measure_counts(
    kind: Any, table: str, column: str, evidence: Evidence, sizes: Mapping[date, int], other: str
) -> list[Sign]:
    """Orphans or childless keys a day, where that many are not usual. Rows are (day, n, ...)."""
    counts = {row[0]: row for row in evidence.rows}
    signs = []
    for number, row in enumerate(evidence.rows):
        day, n = row[0], row[1]
        rest = others(sizes, day)
        usual = sum(counts[d][1] for d in rest if d in counts)
        expected = (usual + 0.2) / (sum(sizes[d] for d in rest) + 1) * sizes.get(day, 0)
        largest = max((counts[d][1] for d in rest if d in counts), default=0)
        if surprise(n, expected) <= 3.0 or (
            usual and (n < 2 * largest or surprise(n, max(expected, largest)) <= RARE)
        ):
            continue
        figures = {"keys": row[2], "inside": row[3]} if len(row) > 3 else {}
        signs.append(
            Sign(
                kind=kind, table=table, day=day, column=column, rows=n, of_rows=sizes.get(day, 0),
                figures=figures, words={"other": other}, cites=(Cite(evidence=evidence.id, row=number),),
            )
        )  # fmt: skip
    return signs


def measure_arrivals(source: Source, evidence: Evidence, sizes: Mapping[date, int]) -> list[Sign]:
    """Keys that came for the first time days after they happened, where that is not usual."""
    late: dict[int, dict[date, int]] = defaultdict(dict)
    place = {}
    came: Counter[date] = Counter()
    for number, (first_day, event_day, n) in enumerate(evidence.rows):
        came[first_day] += n
        place[first_day, event_day] = number
        if first_day != event_day:
            late[(first_day - event_day).days][first_day] = n
    signs = []
    for lag, days in late.items():
        for day, n in days.items():
            rest = others(sizes, day)
            usual = sum(days.get(other, 0) for other in rest)
            expected = (usual + 0.2) / (sum(came[other] for other in rest) + 1) * came[day]
            if n < 2 or surprise(n, max(expected, max((days.get(o, 0) for o in rest), default=0))) <= 4.0:
                continue
            happened = day - timedelta(days=lag)
            signs.append(
                Sign(
                    kind="arrived_late", table=source.name, day=happened, column=source.event_time, rows=n,
                    of_rows=sizes.get(day, 0), figures={"days late": lag}, words={"came": str(day)},
                    cites=(Cite(evidence=evidence.id, row=place[day, happened]),),
                )
            )  # fmt: skip
    return signs
