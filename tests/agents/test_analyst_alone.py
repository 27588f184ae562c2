"""The analyst over a warehouse in memory: what the engine says decides, and no server is needed to say it."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from agents.analyst import Analyst
from agents.analyst.answer import Answer
from agents.runtime.budget import Budget
from agents.runtime.settings import AgentSettings
from warehouse import Catalogue, TransientError
from warehouse.errors import LimitExceededError, OverloadedError
from warehouse.semantic import SemanticLayer
from warehouse.testing import Answer as Scripted
from warehouse.testing import FakeWarehouse

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
MONTHS = [
    {"metric_time__month": date(2026, 1, 1), "revenue": 1250.5},
    {"metric_time__month": date(2026, 2, 1), "revenue": 990.25},
]
DAYS = [{"first": date(2026, 1, 1), "last": date(2026, 2, 28), "days": 59, "groups": 59}]


def ask(
    semantic: SemanticLayer,
    dbt_target: Path,
    state: Path,
    answers: dict[str, Scripted],
    budget: Budget | None = None,
) -> tuple[Answer, FakeWarehouse]:
    warehouse = FakeWarehouse(answers={"repeated_times": [], "_days": DAYS} | answers)
    catalogue = Catalogue.load(dbt_target / "manifest.json")
    analyst = Analyst(warehouse, semantic, catalogue, AgentSettings(state_dir=state))
    return analyst.ask("revenue by month", now=NOW, budget=budget), warehouse


def test_the_rows_that_come_back_are_the_answer(
    semantic: SemanticLayer, dbt_target: Path, tmp_path: Path
) -> None:
    answer, warehouse = ask(semantic, dbt_target, tmp_path, {"revenue": MONTHS})
    assert answer.status == "answered", answer.text
    assert answer.rows == [["2026-01-01", 1250.5], ["2026-02-01", 990.25]]
    assert "1,250.5" in answer.text
    # Judged, then run: word for word what the answer says that it was.
    assert warehouse.asked.count(answer.sql) == 2


def test_a_cap_is_told_and_a_server_that_is_away_is_for_later(
    semantic: SemanticLayer, dbt_target: Path, tmp_path: Path
) -> None:
    answer, _ = ask(semantic, dbt_target, tmp_path, {"revenue": LimitExceededError("It would read 9 TiB.")})
    assert (answer.status, answer.rows) == ("failed", [])
    assert "9 TiB" in answer.text
    with pytest.raises(TransientError, match="Too many queries"):
        ask(semantic, dbt_target, tmp_path, {"revenue": OverloadedError("Too many queries.")})


def test_a_warehouse_that_hangs_holds_the_run_no_longer_than_its_budget(
    semantic: SemanticLayer, dbt_target: Path, tmp_path: Path
) -> None:
    ends = threading.Event()
    hangs: dict[str, Scripted] = {"revenue": lambda sql: [{"ended": ends.wait()}]}
    try:
        answer, _ = ask(semantic, dbt_target, tmp_path, hangs, Budget(seconds=1))
    finally:
        ends.set()
    assert answer.status == "failed"
    assert "seconds" in answer.over
    assert not answer.rows
