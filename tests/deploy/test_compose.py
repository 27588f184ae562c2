"""docker-compose.yml cannot be started everywhere, so it is checked: by Compose itself, and for names that
no part of the system reads."""

from __future__ import annotations

import importlib
import inspect
import os
import re
import shutil
import stat
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


def validate(path: Path, env_file: Path | None = None) -> subprocess.CompletedProcess[str]:
    # The package's own launcher always exits with 0, so the binary beside it is called.
    folder = importlib.import_module("compose").__path__[0]
    command = [f"{folder}/docker-compose", "-f", str(path), "--env-file", str(env_file or os.devnull)]
    return subprocess.run([*command, "config"], env={}, capture_output=True, text=True, check=False)


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    """What deploy/new-env.sh makes."""
    (tmp_path / "deploy").mkdir()
    script = shutil.copy(ROOT / "deploy/new-env.sh", tmp_path / "deploy")
    subprocess.run(["sh", script], check=True)
    return tmp_path / ".env"


def test_compose_accepts_the_file_with_the_passwords_made_for_it(env_file: Path) -> None:
    checked = validate(COMPOSE, env_file)
    assert checked.returncode == 0, checked.stderr


def test_no_password_has_a_default(env_file: Path) -> None:
    secrets = env_file.read_text().splitlines()
    for left_out in secrets:
        env_file.write_text("\n".join(line for line in secrets if line != left_out))
        checked = validate(COMPOSE, env_file)
        assert checked.returncode != 0, left_out
        assert left_out.partition("=")[0] in checked.stderr
    defaults = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", COMPOSE.read_text()))
    assert not [name for name in defaults if re.search("PASSWORD|SECRET|KEY", name)]


def test_passwords_are_made_once_for_their_owner_alone(env_file: Path) -> None:
    made = env_file.read_text()
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
    values = [line.partition("=")[2] for line in made.splitlines()]
    assert len(set(values)) == len(values) == 7
    script = env_file.parent / "deploy/new-env.sh"
    again = subprocess.run(["sh", script], capture_output=True, check=False)
    assert again.returncode != 0
    assert env_file.read_text() == made


def test_every_page_is_published_to_this_machine_only(env_file: Path) -> None:
    published = [
        port
        for service in services(validate(COMPOSE, env_file).stdout).values()
        for port in service.get("ports", [])
    ]
    assert published
    assert {port.get("host_ip") for port in published} == {"127.0.0.1"}


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
