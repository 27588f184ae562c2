"""What the warm executor imports ahead of its tasks."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tidemark_airflow.executor import MODULES

OURS = [name for name in MODULES if name.partition(".")[0] in ("agents", "warehouse", "wiring")]


@pytest.mark.parametrize("name", OURS)
def test_a_module_of_ours_that_is_imported_ahead_is_there(name: str) -> None:
    # One that moved would be told in a log line only, and every task would import it by itself.
    assert find_spec(name) is not None
