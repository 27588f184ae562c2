"""Hours of the day, of rides whose time is kept by the minute."""

from __future__ import annotations

from dataclasses import replace

import pytest
from metricflow_semantic_interfaces.type_enums.time_granularity import TimeGranularity

from agents.analyst.intent import AtPart, Intent, Not, PartOf
from asked import Project, by, metric, same_rows
from warehouse.semantic import SemanticLayer

pytestmark = pytest.mark.integration

HOUR, KIND = PartOf(part="hour_of_day"), by("ride__kind")
RIDES = "analytics.rides_raw as r"
rides, riders, per_ride = metric("rides"), metric("riders"), metric("net_per_ride")
NET = "toFloat64(sum(r.value - coalesce(r.fee, 0))) / count()"


@pytest.fixture(scope="module")
def by_minute(shop: Project) -> Project:
    manifest = shop.layer.manifest.copy(deep=True)
    [model] = [one for one in manifest.semantic_models if one.name == "rides"]
    [date] = [one for one in model.dimensions if one.name == "date"]
    assert date.type_params
    date.type_params.time_granularity = TimeGranularity.MINUTE
    return replace(shop, layer=SemanticLayer(manifest, shop.warehouse.dialect))


def test_what_adds_up_is_added_up(by_minute: Project) -> None:
    expected = f"select toHour(r.date) as h, r.kind, count() from {RIDES} group by h, r.kind"
    same_rows(by_minute.ask(Intent(measures=(rides,), groups=(HOUR, KIND))), by_minute.sql(expected))


@pytest.mark.parametrize("groups", [(HOUR,), (KIND, HOUR)])
def test_what_does_not_is_computed_for_each_hour(groups: tuple[PartOf, ...], by_minute: Project) -> None:
    keys = "r.kind, toHour(r.date)" if len(groups) == 2 else "toHour(r.date)"
    expected = f"""select {keys}, uniqExact(r.rider_id), {NET} from {RIDES}
        where r.date is not null group by {keys}"""
    found = by_minute.ask(Intent(measures=(riders, per_ride), groups=groups))
    same_rows(found, by_minute.sql(expected))


def test_rows_of_some_hours_and_of_the_others_are_all(by_minute: Project) -> None:
    night = AtPart(part="hour_of_day", values=(22, 23, 0, 1, 2, 3))
    expected = f"select countIf(toHour(r.date) in (22, 23, 0, 1, 2, 3)), count() from {RIDES}"
    [[of_night, whole]] = by_minute.sql(expected)
    assert by_minute.figures(rides, where=night)[()] == (of_night,)
    assert by_minute.figures(rides, where=Not(of=night))[()] == (whole - of_night,)
