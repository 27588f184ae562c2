"""docker-compose.yml cannot be started everywhere, so it is checked: by Compose itself, and for names that
no part of the system reads."""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from pydantic_settings import BaseSettings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
SETTINGS_MODULES = (
    "agents.runtime.settings",
    "embedded.settings",
    "streaming.settings",
    "tidemark_airflow.settings",
    "warehouse.settings",
)


def variables_we_read() -> set[str]:
    """Every `TIDEMARK_*` variable of the rooms' settings classes and of the dbt profile."""
    names: set[str] = set()
    for module in SETTINGS_MODULES:
        for _, cls in inspect.getmembers(importlib.import_module(module), inspect.isclass):
            if issubclass(cls, BaseSettings) and cls is not BaseSettings:
                prefix = cls.model_config.get("env_prefix", "")
                names |= {f"{prefix}{field}".upper() for field in cls.model_fields}
    names |= set(re.findall(r"env_var\(['\"](TIDEMARK_\w+)", (ROOT / "dbt/profiles.yml").read_text()))
    return names


def services(text: str | None = None) -> dict[str, dict]:
    return yaml.safe_load(text or COMPOSE.read_text())["services"]


def validate(path: Path) -> subprocess.CompletedProcess[str]:
    # The package's own launcher always exits with 0, so the binary beside it is called.
    folder = importlib.import_module("compose").__path__[0]
    command = [f"{folder}/docker-compose", "-f", str(path), "config", "-q"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_compose_accepts_the_file() -> None:
    checked = validate(COMPOSE)
    assert checked.returncode == 0, checked.stderr


def test_compose_refuses_a_wrong_file(tmp_path: Path) -> None:
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text("services:\n  kafka:\n    image: x\n    helthcheck: {}\n")
    assert validate(wrong).returncode != 0


@pytest.mark.parametrize("service", services())
def test_every_variable_set_is_one_that_something_reads(service: str) -> None:
    from airflow.configuration import conf

    definition = services()[service]
    environment = definition.get("environment", {})
    ours = {name for name in environment if name.startswith("TIDEMARK_")}
    if definition.get("image", "").startswith("tidemark"):
        assert ours <= variables_we_read()
    for name in environment:
        if name.startswith("AIRFLOW__"):
            _, section, option = name.split("__", 2)
            described = conf.configuration_description.get(section.lower(), {})
            known = {name.lower() for name in described.get("options", {})}
            assert option.lower() in known, f"Airflow has no option {name}"


def test_every_mounted_file_is_there() -> None:
    for name, service in services().items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).exists(), f"{name} mounts {source}, which is not there"


def test_every_service_that_stays_has_a_health_check() -> None:
    runs_to_completion = {"airflow-init", "stream-job"}
    # A task manager's health is the job manager's business: it counts its slots.
    without = {name for name, service in services().items() if "healthcheck" not in service}
    assert without == runs_to_completion | {"flink-taskmanager"}
