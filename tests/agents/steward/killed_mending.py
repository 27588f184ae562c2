"""A steward that mends, killed (SIGKILL) again and again, each time a step further, until it ends.

Arguments: warehouse, manifest, state, case. Says where each process was killed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agents.runtime.events import Event
from agents.runtime.settings import AgentSettings
from agents.steward.case import FailedCheck, Failure
from agents.steward.lineage import Lineage
from agents.steward.repair import Means
from agents.steward.steward import Steward
from agents.steward.works import Case
from warehouse import Warehouse, WarehouseSettings, connect
from warehouse.ingestion.schema import TABLES

POINTS = (
    "look_again", "insert", "inserted", "replace_days", "replaced", "quarantine_rows", "rebuild_and_check",
    "ended",
)  # fmt: skip
URL, MANIFEST, STATE, CASE = sys.argv[1:]


def mend(point: str) -> None:
    def here(name: str) -> None:
        if name == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def heard(event: Event) -> None:
        if event.stage == "mend" and event.kind == "tool_called":
            here(json.loads(event.detail)["tool"])
        if event.kind == "execution_completed":
            here("ended")

    @contextmanager
    def writer() -> Iterator[Warehouse]:
        client: Any = connect(WarehouseSettings(warehouse_url=URL))
        for before, after in (("insert", "inserted"), ("replace_days", "replaced")):
            setattr(client, before, around(getattr(client, before), before, after))
        yield client
        client.close()

    def around(call: Any, before: str, after: str) -> Any:
        def called(*arguments: Any, **named: Any) -> Any:
            here(before)
            result = call(*arguments, **named)
            here(after)
            return result

        return called

    reader = connect(WarehouseSettings(warehouse_url=URL), read_only=True)

    def recheck(failure: Failure, rebuild: bool) -> tuple[FailedCheck, ...]:
        return tuple(check for check in failure.checks if reader.query(check.rows_sql).rows)

    means = Means(
        reader, Lineage.load(Path(MANIFEST)), writer, lambda *_: None, recheck,
        {table.name: table.spec for table in TABLES},
    )  # fmt: skip
    steward = Steward(means, AgentSettings(state_dir=Path(STATE), model=""), on_event=heard)
    at = datetime(2026, 10, 1, 6, tzinfo=UTC)
    steward.decide(Case.model_validate_json(CASE), "killed", "quarantine", by="ada", at=at)


for point in POINTS:
    if not (child := os.fork()):
        mend(point)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        sys.exit(f"the process that was to be killed at {point} ended by itself")
    print(point, flush=True)
