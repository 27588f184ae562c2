"""Airflow's metadata database: brought to the installed version once, not at every start."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from threading import Lock

from embedded.errors import ServiceFailed
from embedded.settings import EmbeddedSettings


class Migration:
    """The migration that all of Airflow's processes wait for; whoever comes first runs it."""

    def __init__(self, settings: EmbeddedSettings) -> None:
        self._settings = settings
        self._lock = Lock()

    def run(self) -> None:
        """Migrate the database unless the installed version has done so before.

        Raises:
            ServiceFailed: the migration failed; its output is in `airflow-migrate.log`.
        """
        with self._lock:
            home = self._settings.airflow_home
            stamp = home / "migrated"
            installed = version("apache-airflow")
            if (home / "airflow.db").exists() and stamp.exists() and stamp.read_text("utf-8") == installed:
                return
            log = self._settings.log_dir / "airflow-migrate.log"
            with log.open("wb") as output:
                done = subprocess.run(
                    [str(Path(sys.executable).with_name("airflow")), "db", "migrate"],
                    env={**os.environ, **self._settings.airflow_environment()},
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    check=False,
                )
            if done.returncode:
                raise ServiceFailed(f"airflow: the database in {home} cannot be migrated; see {log}")
            stamp.write_text(installed, "utf-8")
