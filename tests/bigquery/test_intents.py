"""An intent's statement brings the same rows on BigQuery as on ClickHouse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agents.analyst.grammar.when import Calendar
from agents.analyst.intent import (
    By,
    Change,
    CountOf,
    Every,
    Intent,
    Is,
    Mean,
    MetricOf,
    Missing,
    Not,
    Order,
    PartOf,
    Period,
    QuantileOf,
    Running,
    Share,
)
from agents.analyst.sql import compiled
from asked import same_rows
from two_engines import Both
from warehouse.semantic import SemanticLayer

pytestmark = pytest.mark.integration

NOW = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
WEEK, BEFORE = (
    Period(start=NOW - timedelta(days=7 * end + 7), end=NOW - timedelta(days=7 * end)) for end in (0, 1)
)
REVENUE, ORDERS, DAY = MetricOf(name="revenue"), MetricOf(name="orders"), Every(grain="day")
COUNTRY, STATUS = By(dimension="user__country"), By(dimension="order_item__status")

INTENTS: dict[str, dict[str, Any]] = {
    "a ranking": {"groups": (COUNTRY,), "order": Order(by=REVENUE), "limit": 3},
    "the first of each": {
        "groups": (DAY, COUNTRY),
        "partition": (DAY,),
        "order": Order(by=REVENUE),
        "limit": 1,
        "window": WEEK,
    },
    "a comparison": {"groups": (COUNTRY,), "window": WEEK, "against": BEFORE},
    "the largest changes": {
        "groups": (COUNTRY,),
        "window": WEEK,
        "against": BEFORE,
        "order": Order(by=REVENUE, part="absolute_change"),
        "limit": 5,
    },
    "a series compared": {"groups": (DAY,), "window": WEEK, "against": BEFORE},
    "shares": {"measures": (Share(of=REVENUE), Share(of=ORDERS)), "groups": (COUNTRY,)},
    "change": {"measures": (REVENUE, Change(of=REVENUE)), "groups": (DAY,), "window": WEEK},
    "so far": {"measures": (Running(of=REVENUE, since="week"),), "groups": (DAY, COUNTRY)},
    "means": {"measures": (Mean(of=REVENUE, per=DAY), Mean(of=REVENUE, per=By(dimension="user")))},
    "means by group": {"measures": (Mean(of=REVENUE, per=DAY),), "groups": (COUNTRY,), "window": WEEK},
    "medians": {"measures": (QuantileOf(of=REVENUE), QuantileOf(of=REVENUE, per=DAY, q=0.9))},
    "counts": {"measures": (CountOf(of="user", among="revenue"),), "groups": (PartOf(part="weekday"),)},
    "the rest": {"where": Not(of=Is(dimension="user__country", values=("China", "Brasil")))},
    "the unknown": {"where": Missing(dimension="user__country")},
}


@pytest.mark.parametrize("name", INTENTS)
def test_both_engines_bring_the_same_rows(name: str, both: Both) -> None:
    intent = Intent(**({"measures": (REVENUE,)} | INTENTS[name]))
    found = []
    for engine in (both.clickhouse, both.bigquery):
        layer = SemanticLayer.load(engine.settings.semantic_manifest_path, engine.reader.dialect)
        statement = compiled(intent, layer, engine.reader, Calendar(now=NOW))
        found.append(engine.reader.query(statement.sql).rows)
    assert found[0]
    same_rows(found[1], found[0])
