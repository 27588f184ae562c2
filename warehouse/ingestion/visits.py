"""What happens on the site: the visits that end in an order and those that do not, event by event."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.ingestion.people import Users
from warehouse.ingestion.randomness import Ints, microseconds, second_of_day, stream, volume, weighted
from warehouse.ingestion.trade import Orders
from warehouse.ingestion.vocabulary import BROWSERS, COUNTRIES, VISIT_SOURCES

EVENT_TYPES = ("home", "department", "product", "cart", "cancel", "purchase")
_HOME, _DEPARTMENT, _PRODUCT, _CART, _CANCEL, _PURCHASE = range(6)
# What a visit looks like: one of these for a purchase, one of those for a look around.
_BUYING = (
    (_PRODUCT, _CART, _PURCHASE),
    (_DEPARTMENT, _PRODUCT, _CART, _PURCHASE),
    (_HOME, _DEPARTMENT, _PRODUCT, _CART, _PURCHASE),
)
_LOOKING = (
    (_PRODUCT,),
    (_HOME,),
    (_HOME, _DEPARTMENT),
    (_DEPARTMENT, _PRODUCT),
    (_PRODUCT, _CART),
    (_PRODUCT, _CART, _CANCEL),
)
_LOOKS_A_DAY = 210
_SIGNED_IN = 0.3
_MOST_EVENTS_A_DAY = 20_000
_MOST_DAYS_LATE = 2
_LATE = 0.01

LATEST_DAYS = _MOST_DAYS_LATE
NOBODY = -1


@dataclass(frozen=True)
class Events:
    """Events in columns. `user` is a position in `Users` or `NOBODY`; `delivered` is the day they arrive."""

    id: Ints
    day: Ints
    delivered: Ints
    user: Ints
    visit: Ints
    sequence: Ints
    created: Ints
    type: Ints
    # One row a visit from here on.
    session: list[str]
    country: Ints
    city: Ints
    browser: Ints
    source: Ints
    address: list[str]


def visits(seed: int, first: int, last: int, users: Users, orders: Orders) -> Events:
    """The events of day `first` to `last`; every order of those days has a visit that ends in it."""
    of_day = np.searchsorted(orders.day, np.arange(first, last + 2))
    parts = [
        _of_day(seed, day, users, orders, slice(of_day[day - first], of_day[day - first + 1]))
        for day in range(first, last + 1)
    ]
    lengths = [part["shape_length"].size for part in parts]
    offset = np.repeat(np.cumsum(lengths) - lengths, [part["type"].size for part in parts])
    columns = {
        name: np.concatenate([part[name] for part in parts]) for name in parts[0] if name != "shape_length"
    }
    numbers = columns.pop("address")
    tokens = columns.pop("token")
    return Events(
        visit=columns.pop("visit") + offset,
        session=[f"{a:016x}{b:016x}" for a, b in tokens.tolist()],
        address=[f"{n >> 24}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in numbers.tolist()],
        **columns,
    )


def _of_day(seed: int, day: int, users: Users, orders: Orders, placed: slice) -> dict[str, np.ndarray]:
    random = stream(seed, "visits", day)
    buys = placed.stop - placed.start
    looks = int(random.poisson(_LOOKS_A_DAY * volume(day)))
    size = buys + looks

    looker = users.at(day - random.integers(0, 30, looks), random.random(looks))
    looker = np.where(random.random(looks) < _SIGNED_IN, looker, NOBODY)
    user = np.concatenate([orders.user[placed], looker])
    shape = np.concatenate(
        [random.integers(0, len(_BUYING), buys), len(_BUYING) + random.integers(0, len(_LOOKING), looks)]
    )
    shapes = _BUYING + _LOOKING
    length = np.array([len(s) for s in shapes])[shape]
    # A purchase is the moment of its order; the rest of a visit lies before its end.
    midnight = microseconds(np.array([day]), np.int64(0))[0]
    end = np.concatenate([(orders.created[placed] - midnight) // 1_000_000, second_of_day(random, looks)])
    pause = random.integers(5, 120, size)

    visit = np.repeat(np.arange(size), length)
    position = np.arange(visit.size) - np.repeat(np.cumsum(length) - length, length)
    kinds = np.full((len(shapes), 5), -1)
    for row, steps in enumerate(shapes):
        kinds[row, : len(steps)] = steps
    before_end = length[visit] - 1 - position
    second = np.maximum(end[visit] - before_end * pause[visit], 0)
    late = random.random(visit.size) < _LATE
    country = np.where(
        user == NOBODY, weighted([c.share for c in COUNTRIES], random.random(size)), users.country[user]
    )
    cities = np.array([len(c.cities) for c in COUNTRIES])[country]
    return {
        "id": day * _MOST_EVENTS_A_DAY + np.arange(visit.size) + 1,
        "day": np.full(visit.size, day),
        "delivered": day + np.where(late, random.integers(1, _MOST_DAYS_LATE + 1, visit.size), 0),
        "user": user[visit],
        "visit": visit,
        "sequence": position + 1,
        "created": microseconds(np.full(visit.size, day), second),
        "type": kinds[shape[visit], position],
        "country": country,
        "city": np.where(user == NOBODY, (random.random(size) * cities).astype(np.int64), users.city[user]),
        "browser": weighted([share for _, share in BROWSERS], random.random(size)),
        "source": weighted([share for _, share in VISIT_SOURCES], random.random(size)),
        "address": random.integers(1 << 24, 223 << 24, size),
        "token": random.integers(0, 1 << 62, (size, 2)),
        "shape_length": length,
    }
