"""What all tests share: passwords of the servers that they start by hand, and no patience that runs out."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# A whole stack makes its own.
os.environ.setdefault("TIDEMARK_WAREHOUSE_PASSWORD", "tidemark")
os.environ.setdefault("TIDEMARK_WAREHOUSE_READER_PASSWORD", "reader")

# How long an example takes says how busy the machine is.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")
