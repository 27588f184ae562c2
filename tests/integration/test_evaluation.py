"""The held-out questions: as many of the answers right, and as few wrong, as evaluation/bounds.yml allows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Five projects are built and some 350 questions asked, beside other tests.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(1800)]


def test_the_answers_to_held_out_questions_stay_within_the_bounds() -> None:
    # A process of its own, which prints counts alone: no failure here may show a question.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIDEMARK_")}
    run = subprocess.run(
        [sys.executable, "-m", "evaluation", "--half", "heldout", "--bounded"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    print(run.stdout)
    assert run.returncode == 0, f"{run.stderr[-2000:]}\n{run.stdout[-200:]}"
