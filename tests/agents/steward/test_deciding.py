"""A person's decision: days later, about what is gone by then, at once with another one, cut off anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agents.runtime.errors import PermanentError, TransientError
from agents.runtime.settings import AgentSettings
from agents.steward.case import FailedCheck, Failure
from agents.steward.repair import QUARANTINE, Means
from agents.steward.steward import Steward
from agents.steward.works import Case
from warehouse import Warehouse, WarehouseSettings
from warehouse.ingestion import load_days

pytestmark = pytest.mark.integration
NOW = datetime(2026, 10, 1, 6, tzinfo=UTC)
LATER = NOW + timedelta(days=1, hours=2)
PRODUCTS = "ods.commerce_products"
BELOW = f"select * from {PRODUCTS} where cost < 0 or retail_price < 0"
CHECK = FailedCheck(name="a cost is never negative", table=PRODUCTS, rows_sql=BELOW, observed="3 rows")
FAILURE = Failure(kind="test", task="ods", recheck="path:models/ods", checks=(CHECK,))


def case(language: Any = "en", task: str = "ods") -> Case:
    failure = FAILURE.model_copy(update={"task": task})
    return Case(failure=failure, language=language, asked_at=NOW)


@pytest.fixture
def planted(plants: Any) -> Callable[[], Any]:
    return lambda: plants("negative", 6, share=0.0, source="products")


def held(reader: Warehouse, day: Any) -> list[Any]:
    return sorted(reader.query(f"select id, cost from {PRODUCTS} where _day = '{day}'").rows)


def aside(reader: Warehouse, *runs: str) -> int:
    if not reader.tables([QUARANTINE.name]):
        return 0
    named = ", ".join(f"'{run}'" for run in runs)
    ((rows,),) = reader.query(f"select count(*) from {QUARANTINE.name} where run_id in ({named})").rows
    return int(rows)


def test_what_was_approved_a_day_later_is_done(
    steward: Callable[..., Steward], planted: Callable[[], Any], reader: Warehouse, tmp_path: Path
) -> None:
    with planted() as said:
        report = steward().examine(case(), "day")
        before = held(reader, said.day)
        # Kept since yesterday.
        for kept in (tmp_path / "steps").iterdir():
            os.utime(kept, (time.time() - 86_400,) * 2)
        done = steward().decide(case(), "day", "quarantine", by="ada", at=LATER, seen=report.waiting)
        assert done.decided is not None
        assert (done.decided.at, done.decided.holds, done.decided.void) == (LATER, True, [])
        assert len(held(reader, said.day)) == len(before) - said.rows
        assert aside(reader, "day") == said.rows


@pytest.mark.parametrize(
    ("choice", "language", "gone"), [("reload", "en", "is gone"), ("quarantine", "zh", "已不存在")]
)
def test_what_is_gone_by_then_is_not_done_and_said(
    steward: Callable[..., Steward],
    planted: Callable[[], Any],
    reader: Warehouse,
    writer: Warehouse,
    tmp_path: Path,
    language: Any,
    gone: str,
    choice: Any,
) -> None:
    with planted() as said:
        steward().examine(case(language), "gone")
        load_days(writer, said.day, said.day)
        stamp = f"select max(_loaded_at) from {PRODUCTS} where _day = '{said.day}'"
        loaded, before = reader.query(stamp).rows, held(reader, said.day)
        done = steward().decide(case(language), "gone", choice, by="ada", at=LATER)
        assert done.decided is not None
        assert (done.decided.done, done.decided.holds) == ([], True)
        (void,) = done.decided.void
        assert gone in void
        assert PRODUCTS in void
        assert void in (tmp_path / "reports" / "gone" / "report.md").read_text("utf-8")
        assert (reader.query(stamp).rows, held(reader, said.day)) == (loaded, before)


def test_more_rows_than_a_person_was_told_of_are_not_put_aside(
    steward: Callable[..., Steward], planted: Callable[[], Any], reader: Warehouse, writer: Warehouse
) -> None:
    with planted() as said:
        steward().examine(case(), "grown")
        where = f"where _day = '{said.day}' settings mutations_sync = 1"
        writer.execute(f"alter table {PRODUCTS} update {said.column} = -abs({said.column}) {where}")
        before = held(reader, said.day)
        done = steward().decide(case(), "grown", "quarantine", by="ada", at=LATER)
        assert done.decided is not None
        assert (done.decided.done, done.decided.holds) == ([], False)
        assert "more than what was proposed" in done.decided.void[0]
        assert held(reader, said.day) == before


def test_a_check_that_cannot_be_made_again_is_told_beside_what_was_done(
    means: Means, tmp_path: Path, planted: Callable[[], Any], reader: Warehouse
) -> None:
    def recheck(failure: Failure, rebuild: bool) -> tuple[FailedCheck, ...]:
        if rebuild:
            raise PermanentError("dwd does not build: a column is gone")
        return failure.checks

    steward = Steward(replace(means, recheck=recheck), AgentSettings(state_dir=tmp_path, model=""))
    with planted():
        steward.examine(case(), "unchecked")
        done = steward.decide(case(), "unchecked", "reload", by="ada", at=NOW)
        assert not reader.query(BELOW).rows
    assert done.decided is not None
    assert done.decided.done
    assert (done.decided.holds, done.decided.unchecked) == (None, "dwd does not build: a column is gone")
    page = (tmp_path / "reports" / "unchecked" / "report.md").read_text("utf-8")
    assert "could not be made again: dwd does not build" in page


def test_an_act_that_cannot_be_done_is_told_and_the_check_made(
    means: Means, tmp_path: Path, planted: Callable[[], Any]
) -> None:
    def reload(*_: Any) -> None:
        raise PermanentError("the source has no such day any more")

    steward = Steward(replace(means, reload=reload), AgentSettings(state_dir=tmp_path, model=""))
    with planted():
        steward.examine(case(), "undone")
        done = steward.decide(case(), "undone", "reload", by="ada", at=NOW)
    assert done.decided is not None
    assert (done.decided.done, done.decided.holds) == ([], False)
    assert done.decided.not_made == ["the source has no such day any more"]


def test_a_catalogue_that_cannot_be_read_is_told_and_the_tables_are_asked(
    steward: Callable[..., Steward],
    planted: Callable[[], Any],
    reader: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(*_: Any) -> Any:
        raise PermanentError("reader may not read the catalogue")

    monkeypatch.setattr(type(reader), "tables", refused)
    with planted():
        report = steward().examine(case(), "catalogue")
    assert {f.fault for f in report.findings} == {"negative", "unknown"}
    assert "`reader may not read the catalogue`" in report.text


def test_two_failures_of_one_day_are_mended_once(
    steward: Callable[..., Steward], planted: Callable[[], Any], reader: Warehouse
) -> None:
    """Two tasks failed by the same rows, two people approve at once: who comes second finds nothing left."""
    tasks = {"one": "ods", "two": "gate_ods"}
    with planted() as said:
        before = len(held(reader, said.day))
        for run, task in tasks.items():
            steward().examine(case(task=task), run)
        ended: dict[str, Any] = {}
        start = threading.Barrier(len(tasks))

        def decide(run: str, task: str) -> None:
            start.wait()
            while run not in ended:
                try:
                    ended[run] = steward().decide(case(task=task), run, "quarantine", by=run, at=NOW)
                except TransientError:
                    # As the task is tried again.
                    time.sleep(0.2)

        threads = [threading.Thread(target=decide, args=one) for one in tasks.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        decisions = [report.decided for report in ended.values()]
        assert sorted((len(d.done), len(d.void), d.holds) for d in decisions) == [(0, 1, True), (1, 0, True)]
        assert len(held(reader, said.day)) == before - said.rows
        assert aside(reader, *tasks) == said.rows


def test_killed_at_each_step_of_mending_it_loses_and_doubles_nothing(
    steward: Callable[..., Steward],
    planted: Callable[[], Any],
    reader: Warehouse,
    delivered: WarehouseSettings,
    dbt_target: Path,
    tmp_path: Path,
) -> None:
    """Each process is killed (SIGKILL) a step further than the one before; the last is left to end."""
    with planted() as said:
        steward().examine(case(), "killed")
        before = held(reader, said.day)
        script = Path(__file__).with_name("killed_mending.py")
        asked = [delivered.warehouse_url, str(dbt_target / "manifest.json"), str(tmp_path)]
        ended = subprocess.run(
            [sys.executable, str(script), *asked, case().model_dump_json()],
            check=True, timeout=240, capture_output=True, text=True,
        )  # fmt: skip
        assert ended.stdout.split() == [
            "look_again", "insert", "inserted", "replace_days", "replaced", "quarantine_rows",
            "rebuild_and_check", "ended",
        ]  # fmt: skip
        done = steward().decide(case(), "killed", "quarantine", by="ada", at=NOW)
        assert done.decided is not None
        assert done.decided.done == [f"quarantined {said.rows} rows of {PRODUCTS} of {said.day}"]
        assert done.decided.holds
        assert len(held(reader, said.day)) == len(before) - said.rows
        assert aside(reader, "killed") == said.rows
