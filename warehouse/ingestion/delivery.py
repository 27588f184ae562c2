"""What each logical day delivers: the rows created or changed on it, as they stood at its end, dirt included.

A delivery is a function of the seed and the day alone: the days it depends on, before and after, are made
anew each time. The first day of a history also delivers the opening: what was there before it and is referred
to later (the assortment, recent users, the units on the shelves).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.errors import PermanentError
from warehouse.ingestion.assortment import Assortment, assortment
from warehouse.ingestion.people import Users, sign_ups
from warehouse.ingestion.randomness import Ints, day_of_moment, end_of_day, microseconds
from warehouse.ingestion.schema import TABLES, Table
from warehouse.ingestion.trade import (
    LONGEST_MEMORY_DAYS,
    LONGEST_ORDER_DAYS,
    LONGEST_SHELF_DAYS,
    NEVER,
    Items,
    Orders,
    Units,
    sold_units,
    trade,
    unit_id,
    unsold_units,
)
from warehouse.ingestion.visits import EVENT_TYPES, LATEST_DAYS, NOBODY, visits
from warehouse.ingestion.vocabulary import (
    BRANDS,
    BROWSERS,
    CATEGORIES,
    CENTERS,
    COUNTRIES,
    FIRST_NAMES,
    LAST_NAMES,
    STREETS,
    USER_SOURCES,
    VISIT_SOURCES,
)

Columns = dict[str, pa.Array]

_REPEATED_PER_MILLE = 5
_REPEATABLE = {"users", "orders", "order_items", "events"}
_STATUSES = ["Processing", "Shipped", "Complete", "Cancelled", "Returned"]


@dataclass(frozen=True)
class _Shop:
    """Everything that the days from `first` to `last` may touch."""

    seed: int
    first: int
    last: int
    opening: bool
    users: Users
    products: Assortment
    orders: Orders
    items: Items


def deliveries(seed: int, first: int, last: int, *, opening: bool) -> Iterator[tuple[Table, pa.Table]]:
    """The rows that day `first` to `last` (day numbers) deliver, a table at a time, by `_day` and key.

    With `opening`, day `first` also delivers what a history that starts on it needs. Raises `PermanentError`
    for a table that nothing is made for.
    """
    tables = {table.source: table for table in TABLES}
    if unmade := sorted(tables.keys() - _MAKERS.keys()):
        raise PermanentError(f"Nothing makes the rows of {', '.join(unmade)}. Add what does to {__file__}.")
    oldest, newest = first - LONGEST_ORDER_DAYS, last + LONGEST_SHELF_DAYS
    users = sign_ups(seed, oldest - LONGEST_MEMORY_DAYS, newest)
    products = assortment(seed)
    orders, items = trade(seed, oldest, newest, users, products)
    shop = _Shop(seed, first, last, opening, users, products, orders, items)
    for source, made in _MAKERS.items():
        table, columns = tables[source], made(shop)
        rows = pa.table([columns[field.name] for field in table.arrow], schema=table.arrow)
        if source in _REPEATABLE:
            rows = _with_repeats(rows, table)
        yield table, rows.take(pc.sort_indices(rows, [("_day", "ascending"), (table.key, "ascending")]))


def _with_repeats(rows: pa.Table, table: Table) -> pa.Table:
    # Which rows come twice depends on the row alone, not on the span that it is made in.
    day = rows["_day"].cast(pa.int32()).to_numpy().astype(np.int64)
    mixed = (rows[table.key].to_numpy() * 2_654_435_761 + day * 40_503) % 100_003
    return pa.concat_tables([rows, rows.filter(pa.array(mixed < _REPEATED_PER_MILLE * 100))])


def _centers(shop: _Shop) -> Columns:
    at = np.arange(len(CENTERS) if shop.opening else 0)
    return {
        "id": pa.array(at + 1),
        "name": _pick([c.name for c in CENTERS], at),
        "latitude": pa.array(np.array([c.latitude for c in CENTERS])[at]),
        "longitude": pa.array(np.array([c.longitude for c in CENTERS])[at]),
        "distribution_center_geom": _pick([f"POINT({c.longitude} {c.latitude})" for c in CENTERS], at),
        "_day": _dates(np.full(at.size, shop.first)),
    }


def _products(shop: _Shop) -> Columns:
    products = shop.products
    days = range(shop.first, shop.last + 1)
    changed = [
        np.arange(products.size) if shop.opening and day == shop.first else products.repriced(day)
        for day in days
    ]
    at = np.concatenate(changed)
    day = np.repeat(np.array(days), [part.size for part in changed])
    described = _Described(products)
    return {
        "id": pa.array(at + 1),
        "cost": pa.array(products.cost[at]),
        "category": described.category.take(pa.array(at)),
        "name": described.name.take(pa.array(at)),
        "brand": described.brand_as_typed.take(pa.array(at)),
        "retail_price": pa.array(products.price(at, day)),
        "department": described.department.take(pa.array(at)),
        "sku": described.sku.take(pa.array(at)),
        "distribution_center_id": pa.array(products.center[at] + 1),
        "_day": _dates(day),
    }


def _users(shop: _Shop) -> Columns:
    users = shop.users
    keep = (users.day >= (users.first_day if shop.opening else shop.first)) & (users.day <= shop.last)
    at = np.flatnonzero(keep)
    country, female, name = users.country[at], users.female[at], users.name[at]
    place = _Places(country, users.city[at])
    names = [*FIRST_NAMES["M"], *FIRST_NAMES["F"]]
    first_name = _pick(names, female * len(FIRST_NAMES["M"]) + name % len(FIRST_NAMES["M"]))
    last_name = _pick(LAST_NAMES, name // 16 % len(LAST_NAMES))
    spellings = [spelling for c in COUNTRIES for spelling in (c.name, *c.spellings)]
    starts = np.cumsum([0] + [1 + len(c.spellings) for c in COUNTRIES])
    sources = [source for source, _ in USER_SOURCES]
    shouted = users.shouted[at] * len(sources) + users.source[at]
    key = pa.array(users.id[at])
    return {
        "id": key,
        "first_name": first_name,
        "last_name": last_name,
        "email": _joined(pc.utf8_lower(first_name), ".", pc.utf8_lower(last_name), key, "@example.com"),
        "age": pa.array(users.age[at]),
        "gender": _pick(["M", "F"], female),
        "state": place.state,
        "street_address": _joined(pa.array(name % 900 + 1), " ", _pick(STREETS, name // 64 % len(STREETS))),
        "postal_code": place.postal_code,
        "city": place.city,
        "country": _pick(spellings, starts[country] + 1 + users.spelling[at]),
        "latitude": place.latitude,
        "longitude": place.longitude,
        "traffic_source": _pick([*sources, *(f"{source.upper()} " for source in sources)], shouted),
        "created_at": _moments(microseconds(users.day[at], users.second[at])),
        "user_geom": _joined("POINT(", place.longitude, " ", place.latitude, ")"),
        "_day": _dates(np.maximum(users.day[at], shop.first)),
    }


@dataclass(frozen=True)
class _Versions:
    """States of orders: `at` says which order, `day` at whose end."""

    at: Ints
    day: Ints
    shipped: Ints
    delivered: Ints
    returned: Ints
    status: Ints


def _versions(shop: _Shop) -> _Versions:
    """One state of an order for each day of the span on which something happened to it."""
    orders = shop.orders
    moments = (orders.created, orders.cancelled, orders.shipped, orders.delivered, orders.returned)
    happened = np.stack([day_of_moment(moment) for moment in moments])
    wanted = (happened >= shop.first) & (happened <= shop.last)
    for row in range(1, len(happened)):
        wanted[row] &= (happened[:row] != happened[row]).all(axis=0)
    kind, at = np.nonzero(wanted)
    day = happened[kind, at]
    end = end_of_day(day)

    def by_then(moment: Ints) -> Ints:
        return np.where(moment[at] < end, moment[at], NEVER)

    shipped, delivered, returned = (
        by_then(orders.shipped),
        by_then(orders.delivered),
        by_then(orders.returned),
    )
    status = (shipped != NEVER).astype(np.int64) + (delivered != NEVER)
    status = np.where(returned != NEVER, 4, np.where(by_then(orders.cancelled) != NEVER, 3, status))
    return _Versions(at, day, shipped, delivered, returned, status)


def _orders(shop: _Shop) -> Columns:
    orders, states = shop.orders, _versions(shop)
    user = orders.user[states.at]
    return {
        "order_id": pa.array(orders.id[states.at]),
        "user_id": pa.array(shop.users.id[user]),
        "status": _pick(_STATUSES, states.status),
        "gender": _pick(["M", "F"], shop.users.female[user]),
        "created_at": _moments(orders.created[states.at]),
        "returned_at": _moments(states.returned),
        "shipped_at": _moments(states.shipped),
        "delivered_at": _moments(states.delivered),
        "num_of_item": pa.array(orders.item_count[states.at]),
        "_day": _dates(states.day),
    }


def _order_items(shop: _Shop) -> Columns:
    orders, items, states = shop.orders, shop.items, _versions(shop)
    counts = orders.item_count[states.at]
    state = np.repeat(np.arange(states.at.size), counts)
    starts = (np.cumsum(orders.item_count) - orders.item_count)[states.at]
    at = np.repeat(starts - (np.cumsum(counts) - counts), counts) + np.arange(state.size)
    order = items.order[at]
    return {
        "id": pa.array(items.id[at]),
        "order_id": pa.array(orders.id[order]),
        "user_id": pa.array(shop.users.id[orders.user[order]]),
        "product_id": pa.array(items.product[at] + 1),
        "inventory_item_id": pa.array(unit_id(items.id[at])),
        "status": _pick(_STATUSES, states.status[state]),
        "created_at": _moments(orders.created[order]),
        "shipped_at": _moments(states.shipped[state]),
        "delivered_at": _moments(states.delivered[state]),
        "returned_at": _moments(states.returned[state]),
        "sale_price": pa.array(items.price[at]),
        "_day": _dates(states.day[state]),
    }


def _inventory_items(shop: _Shop) -> Columns:
    sold = sold_units(shop.orders, shop.items)
    unsold = unsold_units(shop.seed, shop.first - LONGEST_SHELF_DAYS, shop.last, shop.products)
    units = Units(
        *(np.concatenate([getattr(sold, name), getattr(unsold, name)]) for name in Units.__annotations__)
    )
    sold_on = day_of_moment(units.sold)
    # Delivered when stocked and when sold; those that lay there before the history when it starts.
    stocked_on = np.maximum(units.day, shop.first) if shop.opening else units.day
    is_stocked = (stocked_on >= shop.first) & (stocked_on <= shop.last) & (stocked_on < sold_on)
    is_sold = (sold_on >= shop.first) & (sold_on <= shop.last)
    at = np.concatenate([np.flatnonzero(is_stocked), np.flatnonzero(is_sold)])
    day = np.concatenate([stocked_on[is_stocked], sold_on[is_sold]])
    product = units.product[at]
    described = _Described(shop.products)
    which = pa.array(product)
    return {
        "id": pa.array(units.id[at]),
        "product_id": pa.array(product + 1),
        "created_at": _moments(units.created[at]),
        "sold_at": _moments(np.where(units.sold[at] < end_of_day(day), units.sold[at], NEVER)),
        "cost": pa.array(shop.products.cost[product]),
        "product_category": described.category.take(which),
        "product_name": described.name.take(which),
        "product_brand": described.brand.take(which),
        "product_retail_price": pa.array(shop.products.price(product, units.day[at])),
        "product_department": described.department.take(which),
        "product_sku": described.sku.take(which),
        "product_distribution_center_id": pa.array(shop.products.center[product] + 1),
        "_day": _dates(day),
    }


def _events(shop: _Shop) -> Columns:
    events = visits(shop.seed, shop.first - LATEST_DAYS, shop.last, shop.users, shop.orders)
    keep = (events.delivered >= shop.first) & (events.delivered <= shop.last)
    kind, user, visit = events.type[keep], events.user[keep], events.visit[keep]
    place = _Places(events.country[visit], events.city[visit])
    return {
        "id": pa.array(events.id[keep]),
        "user_id": pa.array(shop.users.id[user], mask=user == NOBODY),
        "sequence_number": pa.array(events.sequence[keep]),
        "session_id": _pick(events.session, visit),
        "created_at": _moments(events.created[keep]),
        "ip_address": _pick(events.address, visit),
        "city": place.city,
        "state": place.state,
        "postal_code": place.postal_code,
        "browser": _pick([name for name, _ in BROWSERS], events.browser[visit]),
        "traffic_source": _pick([name for name, _ in VISIT_SOURCES], events.source[visit]),
        "uri": _pick([f"/{name}" for name in EVENT_TYPES], kind),
        "event_type": _pick(EVENT_TYPES, kind),
        "_day": _dates(events.delivered[keep]),
    }


# By source, in the order of loading: what is referred to comes before what refers to it.
_MAKERS: dict[str, Callable[[_Shop], Columns]] = {
    "distribution_centers": _centers,
    "products": _products,
    "users": _users,
    "inventory_items": _inventory_items,
    "orders": _orders,
    "order_items": _order_items,
    "events": _events,
}


class _Described:
    """The texts of each product, by position."""

    def __init__(self, products: Assortment) -> None:
        names = [CATEGORIES[c].name for c in products.category]
        brands = [BRANDS[b] for b in products.brand]
        self.category = pa.array(names)
        self.brand = pa.array(brands)
        self.brand_as_typed = pa.array(
            [f" {brand} " if padded else brand for brand, padded in zip(brands, products.padded, strict=True)]
        )
        self.department = pa.array([CATEGORIES[c].department for c in products.category])
        self.name = pa.array([f"{b} {n} {i + 1}" for i, (b, n) in enumerate(zip(brands, names, strict=True))])
        self.sku = pa.array([f"{i * 2_654_435_761 % (1 << 64):016X}" for i in range(1, products.size + 1)])


class _Places:
    """City, state, postal code and position of each (country, city)."""

    def __init__(self, country: Ints, city: Ints) -> None:
        cities = [place for c in COUNTRIES for place in c.cities]
        starts = np.cumsum([0] + [len(c.cities) for c in COUNTRIES])
        at = starts[country] + city
        self.city = _pick([place[0] for place in cities], at)
        self.state = _pick([place[1] for place in cities], at)
        self.latitude = pa.array(np.array([place[2] for place in cities])[at])
        self.longitude = pa.array(np.array([place[3] for place in cities])[at])
        self.postal_code = _pick([f"{place[4]}01" for place in cities], at)


def _pick(values: list[str] | tuple[str, ...], at: Ints) -> pa.Array:
    return pa.array(values, pa.string()).take(pa.array(at))


def _joined(*parts: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*(p if isinstance(p, str) else p.cast(pa.string()) for p in parts), "")


def _moments(microseconds_: Ints) -> pa.Array:
    return pa.array(microseconds_, mask=microseconds_ == NEVER).cast(pa.timestamp("us", tz="UTC"))


def _dates(day: Ints) -> pa.Array:
    return pa.array(microseconds(day, np.int64(0)) // 86_400_000_000).cast(pa.int32()).cast(pa.date32())
