"""What a failed task tells the steward, by the error that ended it."""

from __future__ import annotations

from datetime import date

import pytest

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


def test_any_other_error_is_a_load_that_failed() -> None:
    failure = failure_of(TransientError("the disk is full"), "load_days", Settings.read())
    assert (failure.kind, failure.message) == ("load", "the disk is full")
