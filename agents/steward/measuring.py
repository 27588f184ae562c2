"""From the days of a table side by side to signs: what one day has that the others do not."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from statistics import median
from typing import Any

from agents.steward.case import Cite, Evidence, Sign, Source
from agents.steward.queries import BUCKETS_PER_E
from agents.steward.statistics import (
    deviations,
    likelihood_ratio,
    mean_bucket,
    moved,
    outlier,
    pooled,
    surprise,
)

# One in a million days is as strange by chance.
RARE = 6.0
LEAST_DAYS = 7
# Units that one forgets to convert: cents, thousands, minutes, hours, millionths.
FACTORS = (100, 1000, 60, 3600, 1_000_000)
HOURS = (0, 23)
# A whole day: the values are another day's, at whatever hour.
_SHIFTS = (-24, *(h for h in range(-14, 15) if h), 24)


def others(days: Mapping[date, Any], but: date) -> list[date]:
    """The days to compare a day with: all but itself."""
    return [day for day in days if day != but]


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


def measure_distributions(
    source: Source, columns: Mapping[str, str], rows: Iterable[Sequence[Any]], evidence_id: str
) -> tuple[list[Sign], list[tuple[Any, ...]]]:
    """Values that are those of other days moved by a factor or by hours, new values, and other shares. Also
    the rows that say so: column, day, what was measured.
    """
    by: dict[str, dict[date, Counter[Any]]] = defaultdict(lambda: defaultdict(Counter))
    for day, name, bucket, n in rows:
        by[name][day][bucket if columns[name] == "text" else int(float(bucket))] += n
    signs: list[Sign] = []
    cited: list[tuple[Any, ...]] = []
    for name, days in by.items():
        if len(days) < LEAST_DAYS:
            continue
        total = pooled(days.values())
        measured = [_measured(columns[name], day, days, total) for day in days]
        # Rows of one order, one visit are alike: days differ by more than chance.
        excess = max(1.0, median(m.ratio / m.freedom for m in measured))
        for m in measured:
            m.unlike = deviations(m.ratio / excess, m.freedom)
        normal = sorted(m.unlike for m in measured)[: max(1, len(measured) * 9 // 10)]
        for m in measured:
            rest = [other for other in measured if other.day != m.day]
            fresh = max(sum(other.fresh.values()) for other in rest)
            for kind, found, figures, words in m.signs(normal[-1], [other.middle for other in rest], fresh):
                cited.append((name, m.day, m.size, kind, found, *_two(figures)))
                signs.append(
                    Sign(
                        kind=kind, table=source.name, day=m.day, column=name, rows=found, of_rows=m.size,
                        figures=figures, words=words,
                        cites=(Cite(evidence=evidence_id, row=len(cited) - 1),),
                    )
                )  # fmt: skip
    return signs, cited


DISTRIBUTION_COLUMNS = ("column", "day", "rows", "sign", "rows that show it", "this day", "other days")


def _two(figures: Mapping[str, float]) -> tuple[float | None, float | None]:
    values = [*figures.values(), None, None]
    return values[0], values[1]


class _measured:
    def __init__(self, kind: str, day: date, days: Mapping[date, Counter[Any]], total: Counter[Any]) -> None:
        self.kind, self.day, self.found = kind, day, days[day]
        self.usual = total - self.found
        self.size = sum(self.found.values())
        width = 5 if kind == "number" else 1
        self.ratio, self.freedom = likelihood_ratio(_folded(self.found, width), _folded(self.usual, width))
        self.unlike = 0.0
        # What a day differs by from the others by chance alone, in nats: half of what is free to vary.
        self.noise = 0.8 * len(self.found)
        self.middle = mean_bucket(self.found) if kind == "number" else 0.0
        self.fresh = {v: n for v, n in self.found.items() if v not in self.usual} if kind == "text" else {}

    def signs(
        self, normal: float, middles: list[float], fresh_elsewhere: float
    ) -> Iterable[tuple[Any, int, dict[str, float], dict[str, str]]]:
        if self.kind == "number" and (found := self._scaled()):
            yield found
            return
        if self.kind == "time" and (found := self._shifted()):
            yield found
            return
        fresh = sum(self.fresh.values())
        if fresh >= 3 and surprise(fresh, max(fresh_elsewhere, 0.3)) > 2.5:
            value, n = max(self.fresh.items(), key=lambda item: item[1])
            yield "new_values", fresh, {"of it": n, "kinds": len(self.fresh)}, {"value": str(value)[:60]}
            if fresh > 0.5 * self.size:
                return
        away = outlier(self.middle, middles, 0.3) if self.kind == "number" and self.size >= 5 else 0.0
        far = abs(away) > RARE + 1 and abs(self.middle - median(middles)) > 1
        if far or self.unlike > max(5.5, normal + 2.5):
            figures: dict[str, float] = {}
            if self.kind == "number":
                figures = {
                    "typical": _shown(math.exp((self.middle + 0.5) / BUCKETS_PER_E)),
                    "usual": _shown(math.exp((median(middles) + 0.5) / BUCKETS_PER_E)),
                }
            elif self.found:
                value = max(self.found, key=lambda v: abs(self.found[v] / self.size - self._usual_share(v)))
                figures = {
                    "share": round(self.found[value] / self.size * 100, 1),
                    "usual": round(self._usual_share(value) * 100, 1),
                }
                yield "redistributed", self.size, figures, {"value": str(value)[:60]}
                return
            yield "redistributed", self.size, figures, {}

    def _usual_share(self, value: Any) -> float:
        return self.usual[value] / max(1, sum(self.usual.values()))

    def _scaled(self) -> tuple[Any, int, dict[str, float], dict[str, str]] | None:
        outside = [b for b in self.found if b > max(self.usual) or b < min(self.usual)] if self.usual else []
        if self.unlike < 3 and not outside:
            return None
        shifts = {round(math.log(f) * BUCKETS_PER_E) * sign: f**sign for f in FACTORS for sign in (1, -1)}
        best = moved(self.found, self.usual, shifts, None)
        if best is None or sum(self.usual.values()) < 50:
            return None
        # All that there is to explain must be explained by it, and those moved must not all be one value.
        rows = round(best.share * self.size)
        if rows < 1 or best.gain < 10 or best.gain < 0.6 * (best.whole - self.noise):
            return None
        if rows >= 5 and len(outside) == 1 and len(self.usual) > 10:
            return None
        factor = shifts[best.shift]
        return "scaled", rows, {"factor": factor, "share": round(best.share * 100, 1)}, {}

    def _shifted(self) -> tuple[Any, int, dict[str, float], dict[str, str]] | None:
        if self.unlike < 3:
            return None
        best = moved(self.found, self.usual, _SHIFTS, (-1, 24))
        if best is None or sum(self.usual.values()) < 200:
            return None
        rows = round(best.share * self.size)
        if rows < 2 or best.gain < 18 or best.gain < 0.7 * (best.whole - self.noise):
            return None
        kind = "moved_out" if abs(best.shift) == 24 else "shifted"
        return kind, rows, {"hours": best.shift, "share": round(best.share * 100, 1)}, {}


def _folded(counts: Mapping[Any, int], width: int) -> Mapping[Any, int]:
    if width == 1:
        return counts
    out: Counter[Any] = Counter()
    for bucket, n in counts.items():
        out[bucket // width] += n
    return out


def _shown(value: float) -> float:
    return float(f"{value:.3g}")


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
            cited.append((name, day, of, kind, n, *_two(figures)))
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
    return "rewritten", {"ratio": _shown(change)} if math.isfinite(change) else {}


def _minutes(change: str) -> float:
    one, two, hours, minutes = change.split(" ")
    days = (date.fromisoformat(two) - date.fromisoformat(one)).days
    return days * 1440 + int(float(hours)) * 60 + int(float(minutes))


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
