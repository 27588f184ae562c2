"""One real stack for the tests of the whole path: own state folder, own ports, stopped at the end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from embedded.settings import EmbeddedSettings
from embedded_home import PORTS, embedded_home
from warehouse import Warehouse, WarehouseSettings, connect

ROOT = Path(__file__).resolve().parents[2]
TIDEMARK = str(Path(sys.executable).with_name("tidemark"))


@dataclass(frozen=True)
class Stack:
    """A stack as its user has it: the command line and the environment that leads to it."""

    settings: EmbeddedSettings
    environment: dict[str, str]

    @property
    def home(self) -> Path:
        return self.settings.home

    def warehouse(self, *, read_only: bool) -> Warehouse:
        """The stack's warehouse as the writer or as the reader; the stack has been started."""
        # This process's own variables are of servers that tests start by hand.
        kept = EmbeddedSettings(home=self.home, warehouse_password=None, warehouse_reader_password=None)
        logins = kept.warehouse_environment()
        settings = WarehouseSettings(
            warehouse_url=self.settings.warehouse_url,
            warehouse_password=SecretStr(logins["TIDEMARK_WAREHOUSE_PASSWORD"]),
            warehouse_reader_password=SecretStr(logins["TIDEMARK_WAREHOUSE_READER_PASSWORD"]),
        )
        return connect(settings, read_only=read_only)

    def tidemark(self, *arguments: str, timeout: float = 900) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [TIDEMARK, *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    settings = embedded_home(tmp_path_factory.mktemp("home"))
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("TIDEMARK_", "AIRFLOW"))
    }
    environment["TIDEMARK_HOME"] = str(settings.home)
    environment |= {f"TIDEMARK_{name.upper()}": str(getattr(settings, name)) for name in PORTS}
    running = Stack(settings, environment)
    try:
        yield running
    finally:
        stopped = running.tidemark("stop", timeout=120)
        assert stopped.returncode == 0, stopped.stdout + stopped.stderr


@pytest.fixture(scope="session")
def first(stack: Stack) -> subprocess.CompletedProcess[str]:
    done = stack.tidemark("run", "--days", "100")
    assert done.returncode == 0, done.stdout + done.stderr
    return done
