"""The embedded stack's settings for a home of a test's own: free ports, the checkout's jars."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from embedded import jars
from embedded.settings import PROJECT, EmbeddedSettings
from free_ports import free_ports

PORTS = ("kafka_port", "kafka_controller_port", "warehouse_port", "airflow_port", "flink_port")


def embedded_home(home: Path, **settings: Any) -> EmbeddedSettings:
    """Settings of a stack in this folder, which gets the jars: they are downloads, not state."""
    shared = EmbeddedSettings(home=Path(os.environ.get("TIDEMARK_HOME", PROJECT / ".tidemark")))
    jars.ensure(shared)
    (home / "jars").symlink_to(shared.jars_dir.absolute())
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    return EmbeddedSettings(home=home, **{**ports, **settings})
