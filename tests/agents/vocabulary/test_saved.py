"""Saved queries of the manifest, as the intents that they stand for."""

from __future__ import annotations

from typing import Any

import pytest
from metricflow_semantic_interfaces.implementations.project_configuration import (
    PydanticProjectConfiguration,
)
from metricflow_semantic_interfaces.implementations.saved_query import PydanticSavedQuery
from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest

from agents.analyst.vocabulary.saved import intent
from notation import noted
from warehouse.clickhouse import DIALECT
from warehouse.semantic import SemanticLayer
from warehouse.semantic.saved import read_saved_queries

COUNTRY, STATUS = "{{ Dimension('user__country') }}", "{{ Dimension('order_item__order_status') }}"
CASES: list[tuple[dict[str, Any], str]] = [
    ({"group_by": ["Dimension('user__country')"]}, "revenue | by user__country"),
    ({"group_by": ["Dimension('user__country')", "TimeDimension('metric_time', 'month')"]},
     "revenue | by month, user__country"),
    ({"group_by": ["TimeDimension('metric_time').grain('week')"]}, "revenue | by week"),
    ({"group_by": ["TimeDimension('user__signed_up_on', 'year')"]}, "revenue | by user__signed_up_on.year"),
    ({"group_by": ["Dimension('user__country')"], "order_by": ["Metric('revenue').descending(True)"],
      "limit": 3}, "revenue | by user__country | desc revenue 3"),
    ({"where": [f"{COUNTRY} = 'China'"]}, "revenue | where user__country=China"),
    ({"where": [f"{COUNTRY} in ('China', 'Brasil') and {STATUS} = 'Complete'"]},
     "revenue | where (user__country=China/Brasil all order_item__order_status=Complete)"),
    ({"where": [f"({COUNTRY} = 'China')", f"{STATUS} is not null"]},
     "revenue | where (user__country=China all not no order_item__order_status)"),
    ({"where": [f"{COUNTRY} = 'China' and {STATUS} != 'Complete'", f"{STATUS} <> 'Shipped'"]},
     "revenue | where (user__country=China all not order_item__order_status=Complete all "
     "not no order_item__order_status all not order_item__order_status=Shipped)"),
    # SQL's `not` leaves out what has no value.
    ({"where": [f"{COUNTRY} <> 'China'"]},
     "revenue | where (not user__country=China all not no user__country)"),
    ({"where": [f"{COUNTRY} = 'China' or {STATUS} not in ('Complete')"]},
     "revenue | where (user__country=China any "
     "(not order_item__order_status=Complete all not no order_item__order_status))"),
    # What no intent says: another function, a time, a first of nothing, an order by a group.
    ({"where": [f"lower({COUNTRY}) = 'china'"]}, ""),
    ({"where": [f"{COUNTRY} like 'Ch%'"]}, ""),
    ({"where": ["{{ TimeDimension('metric_time', 'day') }} >= '2026-01-01'"]}, ""),
    ({"where": [f"{COUNTRY} = {STATUS}"]}, ""),
    ({"where": [f"{COUNTRY} ="]}, ""),
    ({"group_by": ["Dimension('user__country')"], "limit": 3}, ""),
    ({"group_by": ["Dimension('user__country')"], "order_by": ["Dimension('user__country')"]}, ""),
    ({"metrics": ["revenue", "no_such_metric"]}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "expected"), CASES, ids=[str(asked) for asked, _ in CASES])
def test_a_saved_query_is_an_intent_or_none(
    asked: dict[str, Any], expected: str, semantic: SemanticLayer
) -> None:
    where = {"where_filters": [{"where_sql_template": one} for one in asked.get("where", ())]}
    params = {"metrics": ["revenue"], **asked, "where": where if "where" in asked else None}
    manifest = PydanticSemanticManifest(
        semantic_models=[],
        metrics=[],
        project_configuration=PydanticProjectConfiguration(),
        saved_queries=[PydanticSavedQuery.parse_obj({"name": "board", "query_params": params})],
    )
    found = intent(read_saved_queries(manifest, DIALECT)["board"], semantic)
    assert (noted(found) if found else "") == expected
