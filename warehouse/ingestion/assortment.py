"""What is sold: the products, their prices over time, and which one a shopper takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.ingestion.randomness import Floats, Ints, day_of, stream
from warehouse.ingestion.vocabulary import BRANDS, CATEGORIES, CENTERS

_PRODUCTS = 1200
# Every product is priced anew once in so many days.
_REPRICED_EVERY = 180
_PRICE_STEPS = np.array([1.0, 1.06, 0.97, 1.10])
_IN_SEASON, _OUT_OF_SEASON = 1.9, 0.6


@dataclass(frozen=True)
class Assortment:
    """The products in columns, by position; a product's key is its position plus one."""

    category: Ints
    brand: Ints
    center: Ints
    base_price: Floats
    cost: Floats
    popularity: Floats
    phase: Ints
    padded: Ints

    @property
    def size(self) -> int:
        return int(self.category.size)

    def price(self, product: Ints, day: Ints) -> Floats:
        """The list price of products on days, USD."""
        step = (day + self.phase[product]) // _REPRICED_EVERY % len(_PRICE_STEPS)
        return np.round(self.base_price[product] * _PRICE_STEPS[step], 2)

    def repriced(self, day: int) -> Ints:
        """The products whose price changes on a day."""
        return np.flatnonzero((day + self.phase) % _REPRICED_EVERY == 0)

    def choose(self, day: Ints, female: Ints, uniform: Floats) -> Ints:
        """One product for each shopper: of the shopper's department, popular and in season."""
        month = np.array([day_of(int(d)).month for d in np.unique(day)])[
            np.unique(day, return_inverse=True)[1]
        ]
        chosen = np.zeros(day.size, dtype=np.int64)
        for key in np.unique(month * 2 + female):
            at = np.flatnonzero(month * 2 + female == key)
            edges = np.cumsum(self._shares(int(key) // 2, "Women" if key % 2 else "Men"))
            chosen[at] = np.searchsorted(edges / edges[-1], uniform[at], side="right").clip(0, self.size - 1)
        return chosen

    def _shares(self, month: int, department: str) -> Floats:
        wanted = [
            c.share * _season(c.season, month) if c.department == department else 0.0 for c in CATEGORIES
        ]
        return np.array(wanted)[self.category] * self.popularity


def assortment(seed: int) -> Assortment:
    """The shop's products; the same on every day but for their prices."""
    random = stream(seed, "products", 0)
    # Every category first, then the rest by how much of it sells.
    shares = np.array([c.share for c in CATEGORIES])
    rest = random.choice(len(CATEGORIES), _PRODUCTS - len(CATEGORIES), p=shares / shares.sum())
    category = np.concatenate([np.arange(len(CATEGORIES)), rest])
    brand = random.integers(0, len(BRANDS), _PRODUCTS)
    premium = random.lognormal(0, 0.25, len(BRANDS))
    median = np.array([c.price for c in CATEGORIES])[category]
    price = np.round(median * premium[brand] * random.lognormal(0, 0.3, _PRODUCTS), 2)
    margin = np.array([c.margin for c in CATEGORIES])[category] + random.uniform(-0.06, 0.06, _PRODUCTS)
    popularity = random.pareto(2.5, _PRODUCTS) + 0.3
    in_category = np.zeros(len(CATEGORIES))
    np.add.at(in_category, category, popularity)
    return Assortment(
        category=category,
        brand=brand,
        center=random.integers(0, len(CENTERS), _PRODUCTS),
        base_price=price,
        cost=np.round(price * (1 - margin), 2),
        popularity=popularity / in_category[category],
        phase=random.integers(0, _REPRICED_EVERY, _PRODUCTS),
        padded=(random.random(_PRODUCTS) < 0.02).astype(np.int64),
    )


def _season(best: int, month: int) -> float:
    if not best:
        return 1.0
    away = min((month - best) % 12, (best - month) % 12) / 6
    return _IN_SEASON + (_OUT_OF_SEASON - _IN_SEASON) * away
