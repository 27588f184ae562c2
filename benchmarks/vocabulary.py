"""A project's words where there are many: the time to index them, the memory, the lattice of a question.

python -m benchmarks vocabulary
"""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks import Ratio


def measure() -> list[Ratio]:
    """500 metrics, 2,000 dimensions, 100,000 values, in a process of their own."""
    command = [sys.executable, "-m", "evaluation.many_words"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [Ratio(what, value, unit) for what, value, unit in json.loads(done.stdout)]
