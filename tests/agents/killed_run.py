"""A process that asks one question and is killed (SIGKILL) at a moment of it: after a number of kept steps
and calls, or while the report is written. The arguments are one JSON object.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from agents.analyst import Analyst, report
from agents.runtime import steps
from agents.runtime.settings import AgentSettings
from warehouse import Catalogue, WarehouseSettings, connect
from warehouse.clickhouse import DIALECT
from warehouse.semantic import SemanticLayer


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(warehouse: dict[str, Any], state: str, run_ids: dict[str, int], question: str, now: str) -> None:
    """`run_ids` says after how many steps each run is killed; 0 is while its report is written."""
    settings = WarehouseSettings(**warehouse)
    semantic = SemanticLayer.load(settings.semantic_manifest_path, DIALECT)
    for run_id, last in run_ids.items():
        if os.fork():
            os.wait()
            continue

        class Mortal(steps.Checkpoints):
            steps = 0

            def put(self, *arguments: Any) -> Any:
                return self.survived(super().put(*arguments))

            def put_writes(self, *arguments: Any) -> Any:
                return self.survived(super().put_writes(*arguments))

            def survived(self, kept: Any) -> Any:
                Mortal.steps += 1
                return die() if Mortal.steps == last else kept  # noqa: B023 - this process ends in this turn

        steps.Checkpoints = Mortal
        if not last:
            report.rendering.png = die
        reader = connect(settings, read_only=True)
        analyst = Analyst(
            reader,
            semantic,
            Catalogue.load(settings.manifest_path, reader),
            AgentSettings(state_dir=Path(state)),
        )
        analyst.ask(question, run_id=run_id, now=datetime.fromisoformat(now))
        os._exit(1)


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
