"""What all tests share: passwords of the servers that they start by hand, and no patience that runs out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A whole stack makes its own.
os.environ.setdefault("TIDEMARK_WAREHOUSE_PASSWORD", "tidemark")
os.environ.setdefault("TIDEMARK_WAREHOUSE_READER_PASSWORD", "reader")

# How long an example takes says how busy the machine is.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A folder's tests share its servers, so one worker runs them all."""
    here = Path(__file__).parent
    folders = {item: item.path.relative_to(here).parts[0] for item in items}
    for item, folder in folders.items():
        item.add_marker(pytest.mark.xdist_group(folder))
    # The longest are the last by name, and begin first.
    items.sort(key=folders.__getitem__, reverse=True)
