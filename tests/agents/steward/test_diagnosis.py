"""Faults planted into two months of deliveries are named by what was measured of them; nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from typing import Any

import pytest

from agents.steward.case import Cite, Finding, Sign
from agents.steward.diagnosis import diagnose
from agents.steward.evidence import Asking, Measured
from agents.steward.lineage import Lineage
from agents.steward.verifying import fault_in
from agents.steward.wording import statements
from warehouse import Warehouse

pytestmark = pytest.mark.integration

KINDS = (
    "late", "doubled", "truncated", "negative", "drifted", "missing_table", "broken_reference", "wrong_unit",
    "time_shift", "unknown", "not_a_number",
)  # fmt: skip
# Much of a day, and as little as can be told from chance at all: three rows that no other row contradicts
# are not seen, and are no fault that a check would find.
VISIBLE = {"late": 0.1, "truncated": 0.4, "drifted": 1.0, "time_shift": 0.4, "doubled": 0.1, "unknown": 0.1}

Examine = Callable[..., list[Measured]]


@pytest.fixture
def examine(reader: Warehouse, lineage: Lineage) -> Examine:
    """What the steward measures of some tables, beside the sizes of those they rest on; of all if none."""

    def examine_(*tables: str) -> list[Measured]:
        asking = Asking(reader, lineage.sources)
        extent, volumes = asking.volumes(of=lineage.upstream(tables))
        asked = [one for one in asking.questions(extent) if not tables or one[1] in tables]
        rest = [found for one in asked for found in asking.answer(*one, extent)]
        return [volumes, *rest]

    return examine_


def found(measured: list[Measured]) -> tuple[Finding, ...]:
    return diagnose(sign for one in measured for sign in one.signs)


def test_nothing_is_said_of_healthy_days(examine: Examine) -> None:
    assert found(examine()) == ()


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_is_named_with_its_table_day_and_rows(
    kind: str, plants: Callable[..., Any], examine: Examine
) -> None:
    with plants(kind, 1, share=VISIBLE.get(kind, 0.0)) as said:
        measured = examine(said.table)
    (finding,) = found(measured)
    assert (finding.fault, finding.table) == (said.fault, said.table)
    assert said.day is None or said.day in finding.days
    assert not said.column or said.column in finding.columns
    # Of what only another version of a row contradicts, there may be more.
    assert finding.rows <= 1.35 * said.rows + 3 or said.fault == "drifted"
    assert finding.rows >= 0.65 * said.rows - 3 or said.fault == "time_shift"
    evidence = {one.evidence.id: one.evidence for one in measured}
    for language in ("en", "zh"):
        for statement in statements(finding, language):
            assert not fault_in(statement, evidence, [finding], language), statement.text


def test_only_what_is_below_zero_is_counted_as_that(plants: Callable[..., Any], examine: Examine) -> None:
    with plants("negative", 7, share=0.7, source="order_items") as said:
        (finding,) = found(examine(said.table))
    assert [sign.rows for sign in finding.signs if sign.kind == "negative"] == [said.rows]
    assert [sign.kind for sign in finding.signs if "pairs" in sign.figures] == ["rewritten"]


PAIRS = [("negative", "time_shift"), ("wrong_unit", "late"), ("missing_table", "drifted")]


@pytest.mark.parametrize("kinds", PAIRS)
def test_two_faults_at_once_are_both_named(
    kinds: tuple[str, str], plants: Callable[..., Any], examine: Examine
) -> None:
    sources = {"missing_table": "users", "drifted": "inventory_items"}
    with ExitStack() as stack:
        both = [
            stack.enter_context(
                plants(kind, 7, share=VISIBLE.get(kind, 0.4), source=sources.get(kind, "order_items"))
            )
            for kind in kinds
        ]
        findings = found(examine(*{said.table for said in both}))
    assert {(said.fault, said.table) for said in both} == {(f.fault, f.table) for f in findings}


def test_a_sentence_is_said_once_with_all_that_carries_it() -> None:
    cites = [Cite(evidence=name, row=0) for name in ("volumes", "failing 0")]
    signs = tuple(Sign(kind="no_table", table="ods.users", cites=(cite,)) for cite in cites)
    _, told = statements(Finding(fault="missing_table", table="ods.users", signs=signs), "en")
    assert told.cites == tuple(cites)


def test_twice_the_rows_say_nothing_of_how_they_are_distributed() -> None:
    day = date(2026, 11, 20)
    signs = [
        Sign(kind=kind, table="ods.orders", day=day, column=column, rows=40, of_rows=80)
        for kind, column in (("repeated", "order_id"), ("redistributed", "created_at"))
    ]
    (finding,) = diagnose(signs)
    assert (finding.fault, [sign.kind for sign in finding.signs]) == ("doubled", ["repeated"])
