"""What all tests share: passwords of the servers that they start by hand, a Java that starts fast, no
patience that runs out, and which of them run beside each other.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

# A whole stack makes its own.
os.environ.setdefault("TIDEMARK_WAREHOUSE_PASSWORD", "tidemark")
os.environ.setdefault("TIDEMARK_WAREHOUSE_READER_PASSWORD", "reader")

# No Java of a test lives long enough to earn back what the second compiler costs it, a third of its start.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")

# How long an example takes says how busy the machine is.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

# A folder's tests share its servers, so one worker runs them all, except files whose servers are their own.
ALONE = (
    "test_on_a_cluster.py", "test_kill_the_job.py", "test_recovery.py", "test_stack_lifecycle.py",
    "test_evaluation.py",
)  # fmt: skip
# The longest begin first, those that mostly wait beside those that mostly compute; the others fill the end.
FIRST = (
    "integration", "warehouse", "test_evaluation.py", "test_on_a_cluster.py", "test_kill_the_job.py",
    "agents", "bigquery", "test_recovery.py", "embedded", "streaming", "dbt", "test_stack_lifecycle.py",
)  # fmt: skip


def _group(nodeid: str) -> str:
    """Of `tests/agents/sql/test_x.py::test_y` the folder; the file's name where it has servers of its own."""
    parts = nodeid.partition("::")[0].split("/")
    return parts[-1] if parts[-1] in ALONE else "/".join(parts[1:-1])


class Groups(LoadScopeScheduling):
    """A group is one worker's. By marks, as xdist offers it, pytest 9.2 no longer groups and says nothing."""

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups:
    return Groups(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    names = [*FIRST, ""]
    groups = {item: _group(item.nodeid) for item in items}
    items.sort(key=lambda item: names.index(groups[item] if groups[item] in FIRST else ""))
