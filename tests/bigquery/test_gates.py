"""The gates judge BigQuery's tables as they judge ClickHouse's."""

from __future__ import annotations

import pytest

from two_engines import Both
from warehouse.quality import run_gate
from warehouse.quality.gate import Outcome

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("layer", ["ods", "dwd", "dws", "ads"])
def test_a_gate_has_the_same_outcomes(both: Both, layer: str) -> None:
    ours, theirs = (run_gate(one.settings, layer).outcomes for one in (both.clickhouse, both.bigquery))
    assert ours
    assert [said(one) for one in theirs] == [said(one) for one in ours]


def said(outcome: Outcome) -> tuple[object, ...]:
    """All but the figures, which a sum of floats may have otherwise in the last digit."""
    rows = [next(iter(row.items())) for row in outcome.failing]
    return outcome.table, outcome.kind, outcome.expectation, outcome.passed, rows
