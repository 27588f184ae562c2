"""What all tests share: passwords of the servers that they start by hand, a Java that starts fast, no
patience that runs out, and which of them run beside each other.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A whole stack makes its own.
os.environ.setdefault("TIDEMARK_WAREHOUSE_PASSWORD", "tidemark")
os.environ.setdefault("TIDEMARK_WAREHOUSE_READER_PASSWORD", "reader")

# No Java of a test lives long enough to earn back what the second compiler costs it, a third of its start.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")

# How long an example takes says how busy the machine is.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

# A folder's tests share its servers, so one worker runs them all, except files whose servers are their own.
ALONE = ("test_on_a_cluster.py", "test_kill_the_job.py", "test_recovery.py", "test_stack_lifecycle.py")
# The longest begin first, those that mostly wait beside those that mostly compute; the others fill the end.
FIRST = (
    "integration", "warehouse", "test_on_a_cluster.py", "test_kill_the_job.py", "agents", "test_recovery.py",
    "embedded", "streaming", "dbt", "test_stack_lifecycle.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    groups = {
        item: item.path.name if item.path.name in ALONE else item.path.relative_to(here).parts[0]
        for item in items
    }
    for item, group in groups.items():
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: FIRST.index(groups[item]) if groups[item] in FIRST else len(FIRST))
