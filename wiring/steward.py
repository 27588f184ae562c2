"""Opens a steward, and says of a failed task what the steward must know."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from functools import partial
from typing import Any

from agents.runtime.errors import PermanentError
from agents.runtime.events import EventSink
from agents.runtime.steps import file_name
from agents.steward.case import Bound, FailedCheck, Failure
from agents.steward.lineage import Lineage
from agents.steward.repair import Means
from agents.steward.report import Report
from agents.steward.steward import Choice, Steward
from agents.steward.works import Case
from warehouse.dbt_runner import DbtFailedError, DbtNode, run_dbt
from warehouse.ingestion import load_days
from warehouse.ingestion.schema import TABLES
from warehouse.quality import GateFailedError, GateLateError, GateResult, run_gate, widenings
from wiring.opened import SpanCount, opened
from wiring.settings import Settings
from wiring.warehouse import Warehouse, open_warehouse

__all__ = ["Case", "Choice", "Failure", "Report", "Steward", "failure_of", "open_steward", "report_of"]

# What is built from what: a layer's check is made again on layers that have been built again.
_LAYERS = ("ods", "dwd", "dws", "ads")


@contextmanager
def open_steward(
    settings: Settings, *, on_event: EventSink | None = None, spans: SpanCount | None = None
) -> Iterator[Steward]:
    """A steward whose runs are recorded; see `opened`. It writes only what a person approved."""
    with opened(settings, on_event=on_event, spans=spans) as parts:
        lineage = Lineage.load(settings.warehouse.manifest_path)

        def reload(writer: Warehouse, first: date, last: date) -> None:
            load_days(writer, first, last)

        means = Means(
            reader=parts.warehouse,
            lineage=lineage,
            writer=partial(open_warehouse, settings),
            reload=reload,
            recheck=partial(_recheck, settings, lineage),
            specs={table.name: table.spec for table in TABLES},
        )
        yield Steward(means, settings.agents, on_event=parts.record, tracer_provider=parts.tracer_provider)


def failure_of(error: BaseException, task: str, settings: Settings) -> Failure:
    """A task's failure as the steward takes it; what it is no check's is a load's, with its message."""
    message = str(error)[:2_000]
    if isinstance(error, GateFailedError | GateLateError):
        layer = error.result.layer
        return Failure(kind="gate", task=task, recheck=layer, checks=_refused(error.result), message=message)
    if isinstance(error, DbtFailedError):
        tests = " ".join(node.name for node in error.result.failures if node.kind == "test")
        lineage = Lineage.load(settings.warehouse.manifest_path)
        checks = tuple(_failed(lineage, node) for node in error.result.failures)
        return Failure(kind="test", task=task, recheck=tests, checks=checks, message=message)
    return Failure(kind="load", task=task, message=message)


def report_of(dag_id: str, run_id: str) -> str:
    """The name of the report on what failed in a run of a DAG."""
    return file_name(f"{dag_id}-steward-{run_id}")


def _refused(result: GateResult) -> tuple[FailedCheck, ...]:
    bounds = {
        table: Bound(
            file=one.file, diff=one.diff,
            changes=tuple(f"{change.key}: {change.old:g} → {change.new:g}" for change in one.changes),
        )
        for table, one in widenings(result.failures).items()
    }  # fmt: skip
    return tuple(
        FailedCheck(
            name=outcome.expectation, table=outcome.table, observed=str(outcome)[:500],
            bound=bounds.get(outcome.table),
            days=tuple(filter(None, map(_day, outcome.failing))),
        )
        for outcome in result.failures
    )  # fmt: skip


def _failed(lineage: Lineage, node: DbtNode) -> FailedCheck:
    observed = f"{node.failures} failing rows" if node.failures else " ".join(node.message.split())[:300]
    return lineage.test(node.name, node.sql if node.kind == "test" else "", observed)


def _day(row: Mapping[str, Any]) -> date | None:
    """The day that a failing row names: of a month its last one, with which the whole of it is looked at."""
    name, value = next(iter(row.items()), ("", None))
    try:
        day = date.fromisoformat(str(value)[:10])
    except ValueError:
        return None
    return day.replace(day=monthrange(day.year, day.month)[1]) if name == "month" else day


def _recheck(
    settings: Settings, lineage: Lineage, failure: Failure, rebuild: bool
) -> tuple[FailedCheck, ...]:
    """The failed task's check again, on what has been built again if need be."""
    if failure.kind == "gate":
        if rebuild:
            below = _LAYERS[1 : _LAYERS.index(failure.recheck) + 1]
            for layer in below:
                run_dbt(settings.warehouse, ["run"], select=f"path:models/{layer}")
        return _refused(run_gate(settings.warehouse, failure.recheck))
    if failure.kind == "test":
        names = failure.recheck.split()
        try:
            if rebuild:
                run_dbt(settings.warehouse, ["build"], select=" ".join(f"+{name}" for name in names))
            else:
                run_dbt(settings.warehouse, ["test"], select=failure.recheck)
        except DbtFailedError as error:
            return tuple(_failed(lineage, node) for node in error.result.failures)
        return ()
    raise PermanentError(f"A failed load ({failure.task}) has no check that could be made again.")
