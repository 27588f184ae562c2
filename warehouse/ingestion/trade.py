"""What is bought: orders with their whole life, their items, and the units on the shelves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.ingestion.assortment import Assortment
from warehouse.ingestion.people import Users
from warehouse.ingestion.randomness import (
    Floats,
    Ints,
    day_of_moment,
    microseconds,
    second_of_day,
    stream,
    volume,
)
from warehouse.ingestion.vocabulary import CATEGORIES, CENTERS, COUNTRIES

# No order changes later than this after it was placed, and no unit lies longer before it is sold.
LONGEST_ORDER_DAYS = 30
LONGEST_SHELF_DAYS = 75
# Nobody orders later than this after signing up.
LONGEST_MEMORY_DAYS = 180

_ORDERS_A_DAY = 100
_MOST_ORDERS_A_DAY = 10_000
_MOST_ITEMS = 4
_HOUR, _DAY = 3600, 86_400
_CANCELLED, _RETURNED = 0.10, 0.105
_NEVER_SOLD = 0.06
NEVER = np.iinfo(np.int64).max // 2


@dataclass(frozen=True)
class Orders:
    """Orders with all that will happen to them. Times are Unix microseconds, `NEVER` where they won't."""

    id: Ints
    day: Ints
    user: Ints
    created: Ints
    cancelled: Ints
    shipped: Ints
    delivered: Ints
    returned: Ints
    item_count: Ints


@dataclass(frozen=True)
class Items:
    """Order items; `order` and `product` are positions in `Orders` and the assortment."""

    id: Ints
    order: Ints
    product: Ints
    price: Floats
    shelf_seconds: Ints


@dataclass(frozen=True)
class Units:
    """Inventory items; `sold` is `NEVER` for those that stay on the shelf."""

    id: Ints
    product: Ints
    day: Ints
    created: Ints
    sold: Ints


def unit_id(item_id: Ints) -> Ints:
    """The key of the unit that an order item takes; units that are never sold have the odd numbers."""
    return item_id * 2


def trade(seed: int, first: int, last: int, users: Users, products: Assortment) -> tuple[Orders, Items]:
    """The orders placed from day `first` to `last`. `users` reaches `LONGEST_MEMORY_DAYS` further back."""
    days = np.arange(first, last + 1)
    drawn = [_draw(seed, int(day)) for day in days]
    counts = np.array([part["pick"].size for part in drawn])
    draw = {name: np.concatenate([part[name] for part in drawn]) for name in drawn[0]}
    day = np.repeat(days, counts)
    user = users.at(day - draw["since"].astype(np.int64), draw["pick"])
    country = users.country[user]
    number = np.concatenate([np.arange(count) for count in counts])

    basket = np.array([c.basket for c in COUNTRIES])[country]
    more = draw["basket"] / basket
    item_count = 1 + (more < 0.31).astype(np.int64) + (more < 0.10) + (more < 0.03)
    # Whoever orders on the day of signing up does so after it.
    second = np.where(
        draw["since"] == 0,
        np.minimum(users.second[user] + draw["second"].astype(np.int64) % 5400 + 60, _DAY - 1),
        draw["second"].astype(np.int64),
    )
    created = microseconds(day, second)
    order_id = day * _MOST_ORDERS_A_DAY + number + 1

    order = np.repeat(np.arange(order_id.size), item_count)
    position = np.arange(order.size) - np.repeat(np.cumsum(item_count) - item_count, item_count)
    choice = np.stack([draw[f"choice_{n}"] for n in range(_MOST_ITEMS)])[position, order]
    product = products.choose(day[order], users.female[user][order], choice)
    discount = np.where(choice * 97 % 1 < 0.12, 0.85, 1.0)
    price = np.round(products.price(product, day[order]) * discount * (0.9 + 0.1 * basket[order]), 2)
    shelf_mean = np.array([c.shelf_days for c in CENTERS])[products.center[product]]
    shelf = np.clip(-np.log1p(-(choice * 7919 % 1)) * 0.6 + 0.4, 0.06, 2.0) * shelf_mean * _DAY
    shelf = np.clip(shelf, _DAY, LONGEST_SHELF_DAYS * _DAY - 1).astype(np.int64)

    category_returns = np.array([c.returns for c in CATEGORIES])[products.category[product]]
    mean_returns = np.bincount(order, weights=category_returns, minlength=order_id.size) / item_count
    return _live(draw, order_id, day, user, created, item_count, country, mean_returns), Items(
        id=order_id[order] * _MOST_ITEMS + position,
        order=order,
        product=product,
        price=price,
        shelf_seconds=shelf,
    )


def sold_units(orders: Orders, items: Items) -> Units:
    """The units that the orders take off the shelves, one an item."""
    sold = orders.created[items.order]
    created = sold - items.shelf_seconds * 1_000_000
    return Units(
        id=unit_id(items.id),
        product=items.product,
        day=day_of_moment(created),
        created=created,
        sold=sold,
    )


def unsold_units(seed: int, first: int, last: int, products: Assortment) -> Units:
    """The units stocked from day `first` to `last` that nobody will buy."""
    parts = []
    for day in range(first, last + 1):
        random = stream(seed, "unsold", day)
        size = int(random.poisson(_ORDERS_A_DAY * 1.4 * _NEVER_SOLD * volume(day)))
        parts.append(
            (np.full(size, day), random.integers(0, products.size, size), second_of_day(random, size))
        )
    day, product, second = (np.concatenate([part[n] for part in parts]) for n in range(3))
    number = np.concatenate([np.arange(part[0].size) for part in parts])
    return Units(
        id=(day * _MOST_ORDERS_A_DAY + number) * 2 * _MOST_ITEMS + 1,
        product=product,
        day=day,
        created=microseconds(day, second),
        sold=np.full(day.size, NEVER),
    )


def _draw(seed: int, day: int) -> dict[str, Floats]:
    random = stream(seed, "orders", day)
    size = min(_MOST_ORDERS_A_DAY, int(random.poisson(_ORDERS_A_DAY * volume(day))))
    at_once = random.random(size) < 0.34
    return {
        "since": np.where(at_once, 0, np.minimum(random.exponential(40, size) // 1, LONGEST_MEMORY_DAYS)),
        "pick": random.random(size),
        "second": second_of_day(random, size).astype(float),
        "basket": random.random(size),
        "fate": random.random(size),
        "cancel_hours": random.uniform(1, 40, size),
        "ship_hours": random.gamma(3.0, 9.0, size).clip(2, 120),
        "transit_hours": random.gamma(4.0, 20.0, size).clip(18, 240),
        "regret_hours": random.gamma(3.0, 48.0, size).clip(12, 330),
        **{f"choice_{n}": random.random(size) for n in range(_MOST_ITEMS)},
    }


def _live(
    draw: dict[str, Floats],
    order_id: Ints,
    day: Ints,
    user: Ints,
    created: Ints,
    item_count: Ints,
    country: Ints,
    mean_returns: Floats,
) -> Orders:
    cancels = _CANCELLED * np.array([c.cancels for c in COUNTRIES])[country]
    returns = _RETURNED * np.array([c.returns for c in COUNTRIES])[country] * mean_returns
    is_cancelled = draw["fate"] < cancels
    is_returned = ~is_cancelled & (draw["fate"] > 1 - returns.clip(0, 0.6))

    def after(start: Ints, hours: Floats) -> Ints:
        return start + (hours * _HOUR).astype(np.int64) * 1_000_000

    shipped = after(created, draw["ship_hours"])
    delivered = after(shipped, draw["transit_hours"])
    return Orders(
        id=order_id,
        day=day,
        user=user,
        created=created,
        cancelled=np.where(is_cancelled, after(created, draw["cancel_hours"]), NEVER),
        shipped=np.where(is_cancelled, NEVER, shipped),
        delivered=np.where(is_cancelled, NEVER, delivered),
        returned=np.where(is_returned, after(delivered, draw["regret_hours"]), NEVER),
        item_count=item_count,
    )
