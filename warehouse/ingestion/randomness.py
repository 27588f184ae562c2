"""Where chance comes from: each day and topic has its own stream, so any day can be made again alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from zlib import crc32

import numpy as np
import numpy.typing as npt

from warehouse.ingestion.vocabulary import HOURS, WEEK, YEAR

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# Day numbers count from here. Keys are made of day numbers, so this never changes.
EPOCH = date(2019, 1, 1)
_EPOCH_SECONDS = (EPOCH - date(1970, 1, 1)).days * 86_400
_LEVEL_DAY = (date(2026, 1, 1) - EPOCH).days
_GROWTH_A_YEAR = 0.22


def day_number(day: date) -> int:
    """Days since the epoch of the sample."""
    return (day - EPOCH).days


def day_of(number: int) -> date:
    """The date of a day number."""
    return EPOCH + timedelta(days=number)


def stream(seed: int, topic: str, day: int) -> np.random.Generator:
    """The stream of one topic on one day."""
    return np.random.default_rng([seed & 0xFFFFFFFF, crc32(topic.encode()), day & 0xFFFFFFFF])


def weighted(shares: Sequence[float], uniform: Floats) -> Ints:
    """Indices drawn with the given shares from numbers in [0, 1)."""
    edges = np.cumsum(np.asarray(shares, dtype=float))
    return np.searchsorted(edges / edges[-1], uniform, side="right").clip(0, len(edges) - 1)


def second_of_day(random: np.random.Generator, size: int) -> Ints:
    """Seconds since midnight, busier by day than by night."""
    return weighted(HOURS, random.random(size)) * 3600 + random.integers(0, 3600, size)


def microseconds(day: Ints, second: Ints | np.int64) -> Ints:
    """Unix time in microseconds of a second of a day number; the second may lie outside of the day."""
    return (_EPOCH_SECONDS + day * 86_400 + second) * 1_000_000


def day_of_moment(moment: Ints) -> Ints:
    """The day number that holds a Unix time in microseconds."""
    return (moment // 1_000_000 - _EPOCH_SECONDS) // 86_400


def end_of_day(day: Ints) -> Ints:
    """The first microsecond after a day."""
    return microseconds(day + 1, np.int64(0))


@lru_cache(maxsize=4096)
def volume(day: int) -> float:
    """How busy the shop is on a day, about 1 early in 2026: growth, season and week, without chance."""
    on = day_of(day)
    growth = max(0.3, 1 + _GROWTH_A_YEAR * (day - _LEVEL_DAY) / 365)
    return growth * WEEK[on.weekday()] * YEAR[on.month - 1]
