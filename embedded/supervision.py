"""The process supervisor: its configuration, its start and end, and the calls it answers on its socket."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import Faults, SupervisorTransport

from embedded.errors import ServiceFailed
from embedded.services import Service
from embedded.settings import PROJECT, EmbeddedSettings

# Every process below the supervisor carries this variable, so that none can be left behind unfound.
MARK = "TIDEMARK_STACK"
# What a running process cannot learn of later: when one of these changes, the stack starts again.
TOLD_AT_START = re.compile(r"TIDEMARK_(?!DEBUG)|AIRFLOW__|DBT_|.*_API_KEY$")


def render(services: Iterable[Service], settings: EmbeddedSettings) -> str:
    """supervisord.conf. Nothing starts by itself: the stack starts each when what it needs is healthy.

    The environment is not in it (it holds keys): the supervisor is started with it.
    """
    sections = [
        _section(
            "supervisord",
            {
                "logfile": settings.log_dir / "supervisord.log",
                "logfile_maxbytes": "5MB",
                "logfile_backups": 1,
                "pidfile": settings.run_dir / "supervisord.pid",
                "childlogdir": settings.log_dir,
                "directory": PROJECT,
                "minfds": 1024,
            },
        ),
        _section("unix_http_server", {"file": settings.socket, "chmod": "0700"}),
        _section(
            "rpcinterface:supervisor",
            {"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
        ),
    ]
    sections += [
        _section(
            f"program:{service.name}",
            {
                "command": shlex.join(service.command),
                "autostart": "false",
                "autorestart": "true",
                # Longer than an import that fails takes: such an end is a failed start and waits before the
                # next, 1, 2, 3, ... seconds; 60 tries are half an hour.
                "startsecs": 10,
                "startretries": 60,
                "stopwaitsecs": service.stop_seconds,
                "stopasgroup": "true",
                "killasgroup": "true",
                "redirect_stderr": "true",
                "stdout_logfile": log_path(service.name, settings),
                "stdout_logfile_maxbytes": "10MB",
                "stdout_logfile_backups": 2,
            },
        )
        for service in services
    ]
    return "\n".join(sections)


def log_path(service: str, settings: EmbeddedSettings) -> Path:
    """The file that holds what a service says."""
    return settings.log_dir / f"{service}.log"


class Supervisor:
    """supervisord for one state folder."""

    def __init__(self, settings: EmbeddedSettings) -> None:
        self._settings = settings
        self._told = settings.run_dir / "environment.sha256"

    def running(self) -> bool:
        """Whether it answers."""
        try:
            return bool(self._call("getState")["statecode"] == 1)
        except ServiceFailed:
            return False

    def was_told(self, services: Iterable[Service]) -> bool:
        """Whether the running supervisor was started with the same services and settings as now."""
        return self._told.exists() and self._told.read_text("utf-8") == self._digest(services)

    def start(self, services: tuple[Service, ...]) -> None:
        """Start it as a daemon and wait until it answers.

        Raises:
            ServiceFailed: it does not come up.
        """
        conf = self._settings.run_dir / "supervisord.conf"
        conf.write_text(render(services, self._settings), "utf-8")
        command = [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-c", str(conf)]
        done = subprocess.run(command, env=self._environment(), capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr + done.stdout).strip().splitlines() or ["it said nothing"]
            raise ServiceFailed(f"the process supervisor does not start: {said[-1]}")
        deadline = time.monotonic() + 10
        while not self.running():
            if time.monotonic() > deadline:
                log = self._settings.log_dir / "supervisord.log"
                raise ServiceFailed(
                    f"the process supervisor does not answer on {self._settings.socket}; see {log}"
                )
            time.sleep(0.05)
        self._told.write_text(self._digest(services), "utf-8")

    def shutdown(self) -> None:
        """End it and whatever it still runs."""
        pid = int(self._call("getPID"))
        self._call("shutdown")
        while _alive(pid):
            time.sleep(0.05)

    def start_service(self, name: str) -> None:
        """Ask for a service to be started; one that is starting or running already is left alone."""
        self._call("startProcess", name, False, ignore=Faults.ALREADY_STARTED)

    def stop_service(self, name: str) -> None:
        """Ask for a service to be stopped; one that is not running is left alone."""
        self._call("stopProcess", name, False, ignore=Faults.NOT_RUNNING)

    def info(self) -> dict[str, dict[str, Any]]:
        """supervisor's process info by service name: `statename`, `pid`, `start`, `now`, `spawnerr`, ..."""
        return {process["name"]: process for process in self._call("getAllProcessInfo")}

    def _call(self, method: str, *arguments: Any, ignore: int | None = None) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self._settings.socket}")
        try:
            return getattr(ServerProxy("http://supervisor", transport=transport).supervisor, method)(
                *arguments
            )
        except Fault as fault:
            if fault.faultCode == ignore:
                return None
            raise ServiceFailed(
                f"the process supervisor refused {method} {arguments}: {fault.faultString}"
            ) from fault
        except (OSError, HTTPException) as error:
            raise ServiceFailed(f"the process supervisor does not answer: {error}") from error
        finally:
            transport.close()

    def _environment(self) -> dict[str, str]:
        settings = self._settings
        own = (
            settings.client_environment() | settings.warehouse_environment() | settings.airflow_environment()
        )
        # What an activated environment or a tool wrapped around `make` set is not meant for Airflow.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        return {**inherited, **own, MARK: str(self._settings.home), "PYTHONUNBUFFERED": "1"}

    def _digest(self, services: Iterable[Service]) -> str:
        environment: Mapping[str, str] = self._environment()
        lines = [f"{key}={environment[key]}" for key in sorted(environment) if TOLD_AT_START.match(key)]
        return hashlib.sha256("\n".join([*lines, render(services, self._settings)]).encode()).hexdigest()


def _section(name: str, values: Mapping[str, object]) -> str:
    # supervisor expands %(name)s in values, so a percent sign of ours is doubled.
    lines = [f"{key} = {str(value).replace('%', '%%')}" for key, value in values.items()]
    return "\n".join([f"[{name}]", *lines, ""])


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
