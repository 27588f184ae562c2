"""What it takes to understand a question that was never asked before: to its SQL, or to be declined.

    python -m benchmarks understanding

Over the evaluation's sample, which is built when it is not there: some minutes. What it takes is the
warehouse's part and this process's.
"""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks import Ratio


def measure() -> list[Ratio]:
    """p95 of those that are answered and of those that are not, in a process of their own."""
    command = [sys.executable, "-m", "evaluation.understanding"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [
        Ratio(what, took, "ms", worked, "the analyst's own work")
        for what, took, worked in json.loads(done.stdout)
    ]
