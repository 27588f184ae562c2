"""What the rows of one key on two days differ by: a factor, hours, a sign, or otherwise."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from agents.steward.case import Cite, Sign, Source
from agents.steward.distributions import FACTORS, first_two, shown
from agents.steward.statistics import surprise


def measure_versions(
    source: Source, columns: Mapping[str, str], rows: Iterable[Sequence[Any]], evidence_id: str
) -> tuple[list[Sign], list[tuple[Any, ...]]]:
    """Columns that a key's rows agree on between days, but for one day that differs from all the others."""
    pairs: Counter[tuple[date, date]] = Counter()
    changes: dict[str, Counter[tuple[date, date, float]]] = defaultdict(Counter)
    for one, two, name, change, n in rows:
        if not name:
            pairs[one, two] += n
        elif columns[name] == "number":
            changes[name][one, two, float(change)] += n
        else:
            changes[name][one, two, _minutes(change)] += n
    signs: list[Sign] = []
    cited: list[tuple[Any, ...]] = []
    for name, found in changes.items():
        while worst := _worst(found, pairs):
            day, n, of = worst
            apart: Counter[float] = Counter()
            most: Counter[tuple[date, float]] = Counter()
            for (one, two, change), count in found.items():
                if day in (one, two):
                    # As this day's value against the other's.
                    own = change if day == two else (-change if columns[name] == "time" else _inverse(change))
                    apart[own] += count
                    most[two if day == one else one, own] += count
            for key in [key for key in found if day in key[:2]]:
                del found[key]
            change, same = apart.most_common(1)[0]
            kind, figures = _change(columns[name], change, same / n)
            rows_seen = max(count for (_, own), count in most.items() if kind == "rewritten" or own == change)
            cited.append((name, day, of, kind, n, *first_two(figures)))
            signs.append(
                Sign(
                    kind=kind, table=source.name, day=day, column=name, rows=rows_seen, of_rows=of,
                    figures={**figures, "pairs": n, "of pairs": of},
                    cites=(Cite(evidence=evidence_id, row=len(cited) - 1),),
                )
            )  # fmt: skip
    return signs, cited


VERSION_COLUMNS = (
    "column",
    "day",
    "pairs",
    "sign",
    "pairs that differ",
    "by",
    "",
    "rows that differ",
)


def _worst(
    found: Counter[tuple[date, date, float]], pairs: Counter[tuple[date, date]]
) -> tuple[date, int, int] | None:
    """The day whose rows differ from those of other days more than the other days from each other."""
    changed: Counter[date] = Counter()
    held: Counter[date] = Counter()
    for (one, two, _), n in found.items():
        changed[one] += n
        changed[two] += n
    for (one, two), n in pairs.items():
        held[one] += n
        held[two] += n
    if not changed:
        return None
    day = max(changed, key=lambda d: (surprise(changed[d], 1), changed[d] / max(1, held[d])))
    own, of = changed[day], held[day]
    rest = sum(found.values()) - own
    rest_pairs = sum(n for pair, n in pairs.items() if day not in pair)
    usual = (rest + 0.5) / (rest_pairs + 1)
    if own < 2 or surprise(own, usual * of) <= 4.0 or own / max(1, of) < 2 * usual:
        return None
    return day, own, of


def _inverse(ratio: float) -> float:
    return 1 / ratio if ratio else math.inf


def _change(kind: str, change: float, share: float) -> tuple[Any, dict[str, float]]:
    if kind == "time":
        hours = change / 60
        quarter = round(hours * 4) / 4
        if share > 0.6 and 0 < abs(hours) <= 14 and abs(hours - quarter) < 0.02:
            return "shifted", {"hours": quarter}
        return "rewritten", {"hours": round(hours, 2)}
    for factor in FACTORS:
        for known in (factor, 1 / factor):
            # Rounding to cents moves what was divided.
            if share > 0.4 and abs(change / known - 1) < 0.03:
                return "scaled", {"factor": known}
    return "rewritten", {"ratio": shown(change)} if math.isfinite(change) else {}


def _minutes(change: str) -> float:
    one, two, hours, minutes = change.split(" ")
    days = (date.fromisoformat(two) - date.fromisoformat(one)).days
    return days * 1440 + int(float(hours)) * 60 + int(float(minutes))
