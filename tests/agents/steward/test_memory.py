"""What a report says of the same fault before it, and of what a person decided then."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from agents.runtime.history import Turns
from agents.steward import memory
from agents.steward.case import Failure, Fault, Finding
from agents.steward.report import Decided, Report, said

FIRST = datetime(2026, 10, 1, 6, tzinfo=UTC)
ITEMS = "ods.commerce_order_items"


def report(
    number: int, fault: Fault = "negative", action: str = "", table: str = ITEMS, **more: Any
) -> Report:
    at = FIRST + timedelta(days=number)
    found = Finding(fault=fault, table=table, days=(at.date() - timedelta(days=1),))
    decided = Decided(action=action, by="ada", at=at) if action else None
    return Report(
        run_id=f"r{number}", question="Why ods failed", language=more.pop("language", "en"),
        status="explained", text="It failed.", failure=Failure(kind="gate", task="ods"), findings=[found],
        decided=decided, asked_at=at, **more,
    )  # fmt: skip


def test_the_same_before_is_told_with_its_day_and_what_a_person_decided(tmp_path: Path) -> None:
    for one in (
        report(0),
        # As it is written first, then once it is decided: one turn.
        report(1),
        report(1, action="reload"),
        report(2, action="leave"),
        report(3, fault="doubled", action="leave"),
        report(4, action="quarantine", table="ods.commerce_orders"),
    ):
        memory.remember(one, Turns(tmp_path))
    now = report(9, "negative")
    now.earlier = memory.earlier(now, Turns(tmp_path))
    assert now.earlier == [
        f"`{ITEMS}`: the same (negative values) on 2026-09-30; nobody has decided.",
        f"`{ITEMS}`: the same (negative values) on 2026-10-01; ada had the days loaded again.",
        f"`{ITEMS}`: the same (negative values) on 2026-10-02; ada refused what was proposed and left it.",
    ]
    assert now.earlier[1] in said(now)
    assert date(2026, 10, 9) == now.findings[0].days[0]
    assert memory.earlier(report(9, language="zh"), Turns(tmp_path))[1] == (
        f"`{ITEMS}`：2026-10-01 也出现过（负值）；ada 决定重新加载了这些天。"
    )
    assert memory.earlier(report(0), Turns(tmp_path)) == [], "neither itself nor what came after"
    assert memory.earlier(report(9, fault="late"), Turns(tmp_path)) == []
