"""Passwords of the servers that tests start by hand; a whole stack makes its own."""

from __future__ import annotations

import os

os.environ.setdefault("TIDEMARK_WAREHOUSE_PASSWORD", "tidemark")
os.environ.setdefault("TIDEMARK_WAREHOUSE_READER_PASSWORD", "reader")
