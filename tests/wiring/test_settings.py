"""Settings are read in one place: the environment first, then what a caller was told."""

from __future__ import annotations

import ast
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from pydantic import ValidationError

from agents.runtime.budget import Budget
from warehouse.errors import SettingsError
from wiring.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
# A process of one room alone, without agents, reads that room's settings where it begins.
PROCESSES = {
    "streaming/jobs/telemetry.py": {"StreamingSettings"},
    "streaming/loader.py": {"StreamingSettings", "WarehouseSettings"},
    "plugins/tidemark_airflow/scheduling.py": {"AirflowSettings"},
}


def test_the_environment_goes_before_what_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMARK_WAREHOUSE_URL", "http://elsewhere:8123")
    monkeypatch.delenv("TIDEMARK_KAFKA_BOOTSTRAP", raising=False)
    read = Settings.read(
        {
            "TIDEMARK_WAREHOUSE_URL": "http://here:1",
            "TIDEMARK_KAFKA_BOOTSTRAP": "here:2",
            "TIDEMARK_STATE_DIR": "/state",
            "DBT_PROFILES_DIR": "/profiles",
        }
    )
    assert read.warehouse.warehouse_url == "http://elsewhere:8123"
    assert read.warehouse.dbt_profiles_dir == Path("/profiles")
    assert read.streaming.kafka_bootstrap == "here:2"
    assert read.streaming.spool_dir == Path("/state/spool")
    assert read.agents.reports_dir == Path("/state/reports")


def test_what_was_read_stays_as_it_was_read() -> None:
    read = Settings.read()
    with pytest.raises(FrozenInstanceError):
        read.agents = read.agents
    for room in (read.warehouse, read.streaming, read.agents):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(room, next(iter(type(room).model_fields)), "changed")


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("TIDEMARK_BUDGET", '{"seconds": 0}', "TIDEMARK_BUDGET, seconds is 0: Input should be"),
        ("TIDEMARK_BUDGET", "much", "TIDEMARK_BUDGET is not JSON"),
        ("TIDEMARK_WAREHOUSES", "[]", "TIDEMARK_WAREHOUSES is []: Input should be a valid dictionary."),
        ("TIDEMARK_FLUSH_SECONDS", "-1", "TIDEMARK_FLUSH_SECONDS is '-1': Input should be greater than 0."),
    ],
)
def test_a_wrong_value_is_told_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as refused:
        Settings.read()
    assert str(refused.value).startswith(told)
    assert str(refused.value).endswith("Correct it, or unset it.")


def test_a_variable_that_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMARK_WAREHOUSE_URL", "")
    monkeypatch.setenv("TIDEMARK_BUDGET", "")
    read = Settings.read({"TIDEMARK_WAREHOUSE_URL": "http://here:1"})
    assert read.warehouse.warehouse_url == "http://here:1"
    assert read.agents.budget == Budget()


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMARK_WAREHOUSE_PASSWORD", "hush")
    assert "hush" not in repr(Settings.read())


def test_nothing_but_the_door_and_a_process_of_one_room_reads_settings() -> None:
    classes = {"WarehouseSettings", "StreamingSettings", "AgentSettings", "AirflowSettings"}
    rooms = ("agents", "dags", "plugins", "streaming", "tidemark", "warehouse", "embedded")
    found: dict[str, set[str]] = {}
    for file in (file for room in rooms for file in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in classes:
                found.setdefault(str(file.relative_to(ROOT)), set()).add(node.func.id)
    assert found == PROCESSES
