"""How far a day is from the other days: counts, distributions, and whether one is the other moved."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import fmean, median, pstdev
from typing import Any

# One in a million days is as strange by chance.
RARE = 6.0
LEAST_DAYS = 7
_ROUNDS = 40


def others(days: Mapping[date, Any], but: date) -> list[date]:
    """The days to compare a day with: all but itself."""
    return [day for day in days if day != but]


def surprise(found: int, expected: float) -> float:
    """How improbable it is to count so many or more where `expected` are usual: -log10 of Poisson's tail."""
    if found <= expected or found <= 0:
        return 0.0
    expected = max(expected, 1e-9)
    # The tail is at most its first term over one minus the ratio of its terms.
    log_term = found * math.log(expected) - expected - math.lgamma(found + 1)
    return max(0.0, -(log_term - math.log(1 - expected / (found + 1))) / math.log(10))


def spread(values: Sequence[float]) -> float:
    """A standard deviation that a few strangers among the values do not move."""
    if not values:
        return 0.0
    middle = median(values)
    return 1.4826 * median(abs(value - middle) for value in values)


@dataclass(frozen=True)
class Moved:
    """`share` of the values are those of other days moved by `shift` buckets; `gain` is how much better that
    explains them, in nats, and `whole` how much there is to be explained.
    """

    shift: int
    share: float
    gain: float
    whole: float


def pooled(days: Iterable[Mapping[int, int]]) -> Counter[int]:
    total: Counter[int] = Counter()
    for counts in days:
        total.update(counts)
    return total


def smoothed(counts: Mapping[int, int], low: int, high: int) -> dict[int, float]:
    """A distribution over every bucket from `low` to `high`; neighbours lend to each other."""
    total = sum(counts.values())
    rest = 0.5 / (high - low + 1)
    mass = {
        b: 0.5 * counts.get(b, 0) + 0.25 * (counts.get(b - 1, 0) + counts.get(b + 1, 0)) + rest
        for b in range(low, high + 1)
    }
    return {b: value / (total + 1) for b, value in mass.items()}


def moved(
    found: Mapping[int, int], usual: Mapping[int, int], shifts: Iterable[int], bounds: tuple[int, int] | None
) -> Moved | None:
    """The shift of part of the values that explains a day best. With `bounds`, what is moved beyond them lies
    in the outermost buckets.
    """
    if not found or not usual:
        return None
    shifts = list(shifts)
    reach = max(map(abs, shifts))
    low = bounds[0] if bounds else min(*found, *usual) - reach
    high = bounds[1] if bounds else max(*found, *usual) + reach
    base = smoothed(usual, low, high)
    total = sum(found.values())
    whole = sum(n * math.log(n / total / base[b]) for b, n in found.items())
    best: Moved | None = None
    for shift in shifts:
        other: dict[int, float] = dict.fromkeys(base, 0.0)
        for bucket, mass in base.items():
            # What lies in an outermost bucket has no hour of its own to move.
            stays = bounds is not None and bucket in bounds
            other[bucket if stays else min(max(bucket + shift, low), high)] += mass
        share = _share(found, total, base, other)
        gain = sum(n * math.log(1 - share + share * other[b] / base[b]) for b, n in found.items())
        if best is None or gain > best.gain:
            best = Moved(shift, share, gain, whole)
    return best


def _share(
    found: Mapping[int, int], total: int, base: Mapping[int, float], other: Mapping[int, float]
) -> float:
    """By expectation and maximisation: the likeliest share of the other distribution."""
    share = 0.5
    for _ in range(_ROUNDS):
        share = (
            sum(n * share * other[b] / (share * other[b] + (1 - share) * base[b]) for b, n in found.items())
            / total
        )
    return min(share, 1 - 1e-9)


def likelihood_ratio(found: Mapping[Any, int], usual: Mapping[Any, int]) -> tuple[float, int]:
    """How much likelier a day's counts are by their own shares than by the usual ones, and the number of
    shares that are free: chi-squared where rows are independent. Rare buckets are one.
    """
    total, base = sum(found.values()), sum(usual.values())
    if total < 5 or base < 5:
        return 0.0, 1
    common = {b for b, n in usual.items() if n * total / base >= 2}
    folded: Counter[Any] = Counter()
    shares: Counter[Any] = Counter({None: 1})
    for counts, into in ((found, folded), (usual, shares)):
        for bucket, n in counts.items():
            into[bucket if bucket in common else None] += n
    ratio = 2 * sum(n * math.log((n / total) / (shares[b] / (base + 1))) for b, n in folded.items() if n)
    return max(0.0, ratio), max(1, len(shares) - 1)


def deviations(ratio: float, freedom: int) -> float:
    """A chi-squared value as a number of standard deviations (Wilson and Hilferty, 1931)."""
    part = 2 / (9 * freedom)
    return float(((ratio / freedom) ** (1 / 3) - (1 - part)) / math.sqrt(part))


def outlier(value: float, others: Sequence[float], least: float = 1e-9) -> float:
    """How many of the others' deviations a value lies from their middle, with its sign."""
    if len(others) < 6:
        return 0.0
    # The larger of two estimates: the robust one is too small where most values are the same.
    trimmed = sorted(others)[len(others) // 20 : len(others) - len(others) // 20]
    deviation = max(spread(others), pstdev(trimmed), least)
    return (value - median(others)) / deviation


def mean_bucket(counts: Mapping[int, int]) -> float:
    return fmean(b for b, n in counts.items() for _ in range(n)) if counts else 0.0
