"""How a day's values are distributed beside other days': moved by a factor or hours, new, or otherwise."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from statistics import median
from typing import Any

from agents.steward.case import Cite, Sign, Source
from agents.steward.queries import BUCKETS_PER_E
from agents.steward.statistics import (
    LEAST_DAYS,
    RARE,
    deviations,
    likelihood_ratio,
    mean_bucket,
    moved,
    outlier,
    pooled,
    surprise,
)

# Units that one forgets to convert: cents, thousands, minutes, hours, millionths.
FACTORS = (100, 1000, 60, 3600, 1_000_000)
# A whole day: the values are another day's, at whatever hour.
_SHIFTS = (-24, *(h for h in range(-14, 15) if h), 24)


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
                cited.append((name, m.day, m.size, kind, found, *first_two(figures)))
                signs.append(
                    Sign(
                        kind=kind, table=source.name, day=m.day, column=name, rows=found, of_rows=m.size,
                        figures=figures, words=words,
                        cites=(Cite(evidence=evidence_id, row=len(cited) - 1),),
                    )
                )  # fmt: skip
    return signs, cited


DISTRIBUTION_COLUMNS = ("column", "day", "rows", "sign", "rows that show it", "this day", "other days")


def first_two(figures: Mapping[str, float]) -> tuple[float | None, float | None]:
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
                    "typical": shown(math.exp((self.middle + 0.5) / BUCKETS_PER_E)),
                    "usual": shown(math.exp((median(middles) + 0.5) / BUCKETS_PER_E)),
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


def shown(value: float) -> float:
    return float(f"{value:.3g}")
