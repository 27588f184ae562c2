"""Every shape is written in BigQuery's words too: the guard, which knows them, lets it pass."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from agents.analyst.intent import (
    AtPart,
    Change,
    CountOf,
    Difference,
    Intent,
    Mean,
    Missing,
    Not,
    PartOf,
    Periods,
    QuantileOf,
    Ratio,
    Running,
    Share,
    Threshold,
)
from asked import Project, by, during, every, is_, metric, of, top
from warehouse.bigquery.dialect import DIALECT
from warehouse.guard import guard
from warehouse.semantic import SemanticLayer
from warehouse.testing import FakeWarehouse

pytestmark = pytest.mark.integration

CITY, KIND, MONTH, DAY = by("station__city__name"), by("ride__kind"), every("month"), every("day")
value, rides = metric("value"), metric("rides")
JANUARY, FEBRUARY = during("2026-01-01", "2026-02-01"), during("2026-02-01", "2026-03-01")

SHAPES = {
    "a total": Intent(measures=(value,), window=JANUARY),
    "a ranking": Intent(measures=(value, metric("riders")), groups=(CITY,), order=top(value), limit=3),
    "in each part": Intent(
        measures=(value,), groups=(MONTH, CITY), partition=(MONTH,), order=top(value), limit=1
    ),
    "a comparison": Intent(measures=(value,), groups=(CITY,), window=FEBRUARY, against=JANUARY),
    "a series compared": Intent(measures=(value,), groups=(DAY,), window=FEBRUARY, against=JANUARY),
    "shares": Intent(measures=(Share(of=value), Share(of=metric("riders"))), groups=(KIND,)),
    "a ratio and a difference": Intent(
        measures=(
            Ratio(numerator=value, denominator=rides),
            Difference(left=value, right=of(value, "ride__kind", "x")),
        )
    ),
    "means": Intent(measures=(Mean(of=value, per=DAY), Mean(of=value, per=by("rider"))), groups=(KIND,)),
    "quantiles": Intent(measures=(QuantileOf(of=value), QuantileOf(of=value, per=DAY)), groups=(KIND,)),
    "counts": Intent(
        measures=(
            CountOf(of="rider", among="rides", having=(Threshold(measure=rides, op=">=", value=3),)),
            CountOf(of="bike"),
        )
    ),
    "change": Intent(measures=(Change(of=value), Change(of=value, back="year")), groups=(DAY,)),
    "so far": Intent(measures=(Running(of=value, since="month"), metric("net_so_far")), groups=(DAY,)),
    "so far by the month": Intent(measures=(metric("net_so_far"),), groups=(MONTH,)),
    "weekdays": Intent(measures=(metric("riders"),), groups=(PartOf(part="weekday"),)),
    "periods": Intent(measures=(value,), groups=(Periods(periods=(JANUARY, FEBRUARY)),)),
    "conditions": Intent(
        measures=(value,),
        where=Not(of=AtPart(part="weekday", values=(6, 7))),
        having=(Threshold(measure=rides, op="!=", value=2),),
        groups=(CITY,),
    ),
    "what is missing": Intent(measures=(value,), where=Missing(dimension="station__city__name")),
    "one of several": Intent(measures=(value,), where=is_("station__city__name", "Ghent", "O'Hara")),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_written_in_words_that_bigquery_has(shape: str, shop: Project) -> None:
    elsewhere = replace(
        shop,
        layer=SemanticLayer(shop.layer.manifest, DIALECT),
        warehouse=FakeWarehouse(answers={"repeated_times": []}, dialect=DIALECT),
    )
    sql = elsewhere.statement(SHAPES[shape]).sql
    assert guard(sql, shop.catalogue, DIALECT)
    assert not re.search(r"\bto[A-Z]\w+\(|lagInFrame|OrNull\(", sql)
