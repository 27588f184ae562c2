"""Who shops: the users of a span of days, addressed by the day they signed up on and their place in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from warehouse.ingestion.randomness import Ints, second_of_day, stream, volume, weighted
from warehouse.ingestion.vocabulary import COUNTRIES, USER_SOURCES

_A_DAY = 50
_MOST_A_DAY = 1000
# One row in so many is spelled differently from the rest.
_DIRTY = 0.02


@dataclass(frozen=True)
class Users:
    """Users by sign-up day, in columns; `first_day` and `counts` say where each day's users lie."""

    first_day: int
    counts: Ints
    day: Ints
    index: Ints
    second: Ints
    female: Ints
    age: Ints
    country: Ints
    city: Ints
    source: Ints
    # -1 where the country is spelled as it should be, else which of its other spellings.
    spelling: Ints
    shouted: Ints
    name: Ints

    @property
    def id(self) -> Ints:
        return self.day * _MOST_A_DAY + self.index + 1

    @cached_property
    def _starts(self) -> Ints:
        return np.concatenate([[0], np.cumsum(self.counts)])

    def at(self, day: Ints, fraction: np.ndarray) -> Ints:
        """Positions of users who signed up on `day`, chosen by a number in [0, 1)."""
        offset = day - self.first_day
        return self._starts[offset] + (fraction * self.counts[offset]).astype(np.int64)


def sign_ups(seed: int, first: int, last: int) -> Users:
    """All users who signed up from day `first` to `last`."""
    days = range(first, last + 1)
    parts = [_of_day(seed, day) for day in days]
    counts = np.array([part["index"].size for part in parts], dtype=np.int64)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Users(first_day=first, counts=counts, day=np.repeat(np.array(days), counts), **columns)


def _of_day(seed: int, day: int) -> dict[str, Ints]:
    random = stream(seed, "users", day)
    size = max(1, min(_MOST_A_DAY, round(_A_DAY * volume(day))))
    shares = [
        c.share * (1 + c.swing * np.sin(2 * np.pi * (day / c.period + i / 5)))
        for i, c in enumerate(COUNTRIES)
    ]
    country = weighted(shares, random.random(size))
    cities = np.array([len(c.cities) for c in COUNTRIES])[country]
    spellings = np.array([len(c.spellings) for c in COUNTRIES])[country]
    misspelled = random.random(size) < _DIRTY
    return {
        "index": np.arange(size),
        "second": second_of_day(random, size),
        "female": (random.random(size) < 0.5).astype(np.int64),
        "age": random.integers(12, 71, size),
        "country": country,
        # Squared, so that a country's first city is its largest.
        "city": (random.random(size) ** 2 * cities).astype(np.int64),
        "source": weighted([share for _, share in USER_SOURCES], random.random(size)),
        "spelling": np.where(misspelled, (random.random(size) * spellings).astype(np.int64), -1),
        "shouted": (random.random(size) < _DIRTY).astype(np.int64),
        "name": random.integers(0, 1 << 30, size),
    }
