"""What a failed task tells the steward, by the error that ended it."""

from __future__ import annotations

from datetime import date

import pytest

from agents.steward.case import Finding
from agents.steward.proposing import propose
from warehouse.errors import TransientError
from warehouse.quality import GateFailedError, GateLateError, GateResult, Outcome
from wiring.settings import Settings
from wiring.steward import failure_of


@pytest.mark.parametrize("error", [GateFailedError, GateLateError])
def test_a_gate_that_refuses_or_waits_in_vain_is_a_gate(
    error: type[GateFailedError] | type[GateLateError],
) -> None:
    row = {"newest_day": date(2026, 5, 4), "value": 5.0, "lowest": 0.0, "highest": 2.0}
    outcome = Outcome(
        "ods.sales", "freshness", "the newest day is 2026-05-07 or later", False, "1 of 1", (row,)
    )
    failure = failure_of(error(GateResult("ods", "here", (outcome,), 0.1)), "gate_ods", Settings.read())
    assert (failure.kind, failure.recheck) == ("gate", "ods")
    (check,) = failure.checks
    assert (check.table, check.days) == ("ods.sales", (date(2026, 5, 4),))
    assert "value=5" in check.observed


def test_a_month_that_does_not_agree_is_looked_at_to_its_end() -> None:
    month = {"month": date(2026, 2, 1), "value": 1.0, "lowest": 2.0, "highest": 2.0}
    outcome = Outcome("dwd.dwd_sales", "totals", "its sums agree", False, "1 of 2", (month,))
    failure = failure_of(
        GateFailedError(GateResult("dwd", "here", (outcome,), 0.1)), "gate_dwd", Settings.read()
    )
    assert failure.checks[0].days == (date(2026, 2, 28),)


def test_any_other_error_is_a_load_that_failed() -> None:
    failure = failure_of(TransientError("the disk is full"), "load_days", Settings.read())
    assert (failure.kind, failure.message) == ("load", "the disk is full")


def test_a_bound_that_refuses_a_day_comes_with_the_change_that_lets_it_pass() -> None:
    outcome = Outcome(
        "ods.commerce_order_items", "distribution", "sale_price of each day", False, "1 of 28",
        ({"day": date(2026, 5, 4), "value": 80.0, "lowest": 30.0, "highest": 75.0},),
        "sale_price", 0.25, 0.35,
    )  # fmt: skip
    (check,) = failure_of(
        GateFailedError(GateResult("ods", "here", (outcome,), 0.1)), "gate_ods", Settings.read()
    ).checks
    assert check.bound is not None
    assert check.bound.file == "warehouse/ingestion/tables/order_items.yml"
    assert check.bound.changes == ("gate.figures.sale_price.within: 0.25 → 0.35",)
    drift = Finding(fault="drifted", table=check.table, days=(date(2026, 5, 4),))
    proposed = propose([drift], [check], {}, None, "en")
    assert [one.action for one in proposed] == ["widen"]
    assert proposed[0].diff == check.bound.diff
    assert "a person changes `warehouse/ingestion/tables/order_items.yml` in git" in proposed[0].text
