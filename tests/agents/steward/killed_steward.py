"""A steward that is killed (SIGKILL) with its evidence half collected.

Arguments: warehouse, manifest, state, case.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from agents.runtime.events import Event
from agents.runtime.settings import AgentSettings
from agents.steward.lineage import Lineage
from agents.steward.repair import Means
from agents.steward.steward import Steward
from agents.steward.works import Case
from warehouse import WarehouseSettings, connect


def die_in_evidence(event: Event) -> None:
    if event.stage == "evidence" and event.kind == "tool_called":
        os.kill(os.getpid(), signal.SIGKILL)


def nothing(*_: object) -> object:
    raise AssertionError("nobody approved anything")


url, manifest, state, case = sys.argv[1:]
reader = connect(WarehouseSettings(warehouse_url=url), read_only=True)
means = Means(reader, Lineage.load(Path(manifest)), nothing, nothing, lambda failure, rebuild: (), {})
steward = Steward(means, AgentSettings(state_dir=Path(state), model=""), on_event=die_in_evidence)
steward.examine(Case.model_validate_json(case), "killed")
