"""Carrying out what a person approved. Each act can be made twice: the second time changes nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from agents.runtime.errors import PermanentError, TransientError
from agents.runtime.work import digest
from agents.steward.case import FailedCheck, Failure, Step
from agents.steward.lineage import Lineage
from agents.steward.proposing import said_span, spans
from agents.steward.queries import DAY, LOADED_AT, MEETS, held, literal, parted
from warehouse import Warehouse
from warehouse.client import ColumnSpec, TableSpec

QUARANTINE = TableSpec(
    "ods.quarantined_rows",
    (
        ColumnSpec("table_name", "text", few=True),
        ColumnSpec(DAY, "date"),
        ColumnSpec("run_id", "text"),
        ColumnSpec("reason", "text"),
        ColumnSpec("row", "text"),
        ColumnSpec("quarantined_at", "time"),
    ),
    partition_by=DAY,
    order_by=("table_name",),
)


@dataclass(frozen=True)
class Means:
    """What a steward works with; `specs` are the loaded tables. `reload` loads days again, every table;
    `recheck` makes the failed task's check again, with what it reads built again or not, and returns what
    still fails.
    """

    reader: Warehouse
    lineage: Lineage
    writer: Callable[[], AbstractContextManager[Warehouse]]
    reload: Callable[[Warehouse, date, date], None]
    recheck: Callable[[Failure, bool], tuple[FailedCheck, ...]]
    specs: Mapping[str, TableSpec]

    def reload_days(self, days: tuple[date, ...]) -> tuple[str, ...]:
        """Load these days again; returns what was done, a line a range."""
        done = []
        with self.writer() as writer:
            for first, last in spans(days):
                self.reload(writer, first, last)
                done.append(f"loaded {said_span(first, last)} again")
        return tuple(done)


def put_aside(step: Step, means: Means, run_id: str, reason: str) -> tuple[str, ...]:
    """Quarantine the rows of each of the step's days; returns what was done, a line a day."""
    with means.writer() as writer:
        moved = {
            day: quarantine(writer, step, day, means.specs[step.table], run_id, reason) for day in step.days
        }
    return tuple(f"quarantined {rows} rows of {step.table} of {day}" for day, rows in moved.items())


def quarantine(writer: Warehouse, step: Step, day: date, spec: TableSpec, run_id: str, reason: str) -> int:
    """Move a day's rows that meet the step's condition to the quarantine table; returns how many.

    A copy of every row is there before the day is replaced by its other rows. These count as loaded now:
    what is built from the table is built again.
    """
    writer.create(QUARANTINE)
    kept = _kept(writer, step.table, day, run_id)
    bad, good = _parted(writer, step, day)
    if not bad:
        # Another process may have done it, and not lived to say so.
        return kept.total()
    now = datetime.now(UTC)
    due = Counter(json.dumps(row, default=str, ensure_ascii=False, sort_keys=True) for row in bad)
    if missing := sorted((due - kept).elements()):
        copies = [
            {
                "table_name": step.table, DAY: day, "run_id": run_id, "reason": reason, "row": row,
                "quarantined_at": now,
            }
            for row in missing
        ]  # fmt: skip
        token = f"{run_id} {step.table} {day} {digest(missing)}"
        writer.insert(QUARANTINE, _arrow(QUARANTINE, copies), token=token)
        lost = due - _kept(writer, step.table, day, run_id)
        if lost:
            raise PermanentError(
                f"{len(bad)} rows of {step.table} of {day} were to go to {QUARANTINE.name}, which misses "
                f"{lost.total()} of them. Nothing was taken out; see who else writes there."
            )
    if _sorted(*_parted(writer, step, day)) != _sorted(bad, good):
        raise TransientError(
            f"{step.table} of {day} was loaded while its rows were put aside. None was taken out: try again."
        )
    writer.replace_days(spec, [day], _arrow(spec, [{**row, LOADED_AT: now} for row in good]))
    return len(bad)


def _arrow(spec: TableSpec, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=spec.arrow)


def _parted(writer: Warehouse, step: Step, day: date) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The day's rows that meet the step's condition, and the others: in one reading, so each is in one."""
    parts: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
    for row in writer.query(parted(step.table, day, step.where)).records():
        parts[0 if row.pop(MEETS) else 1].append(row)
    return parts


def _sorted(*parts: list[dict[str, Any]]) -> list[list[str]]:
    return [sorted(map(repr, rows)) for rows in parts]


def _kept(writer: Warehouse, table: str, day: date, run_id: str) -> Counter[str]:
    """The rows that a run has put aside."""
    where = f"table_name = {literal(table)} and run_id = {literal(run_id)}"
    return Counter(row["row"] for row in writer.query(held(QUARANTINE.name, day, where)).records())
