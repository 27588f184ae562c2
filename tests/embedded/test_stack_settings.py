"""What the stack's settings tell clients, and what they keep to themselves."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from embedded.settings import LONGEST_SOCKET_PATH, EmbeddedSettings
from warehouse.errors import SettingsError


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TIDEMARK_DBT_PROJECT_DIR", "TIDEMARK_DBT_TARGET_DIR", "DBT_PROFILES_DIR"):
        monkeypatch.delenv(name, raising=False)
    for user in ("", "READER_"):
        monkeypatch.delenv(f"TIDEMARK_WAREHOUSE_{user}PASSWORD", raising=False)


def test_clients_are_led_to_the_ports_of_this_stack(tmp_path: Path) -> None:
    settings = EmbeddedSettings(home=tmp_path, kafka_port=21190, warehouse_port=21191)
    told = settings.client_environment()
    assert told["TIDEMARK_KAFKA_BOOTSTRAP"] == "127.0.0.1:21190"
    assert told["TIDEMARK_WAREHOUSE_URL"] == "http://127.0.0.1:21191"
    assert told["TIDEMARK_STATE_DIR"] == str(tmp_path)
    assert told["TIDEMARK_DBT_TARGET_DIR"] == str(tmp_path / "dbt")
    assert list(tmp_path.iterdir()) == [], "asking for addresses writes nothing"


def test_what_a_client_is_told_leads_it_to_the_same_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = EmbeddedSettings(home=tmp_path, kafka_port=21190, airflow_port=21192, flink_port=21193)
    for name, value in settings.client_environment().items():
        monkeypatch.setenv(name, value)
    assert EmbeddedSettings() == settings


def test_a_relative_home_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert EmbeddedSettings(home=Path("state")).home == tmp_path / "state"


def test_the_callers_dbt_project_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TIDEMARK_DBT_PROJECT_DIR", "theirs")
    monkeypatch.setenv("TIDEMARK_DBT_TARGET_DIR", "theirs/target")
    monkeypatch.setenv("DBT_PROFILES_DIR", "profiles")
    told = EmbeddedSettings(home=tmp_path / "state").client_environment()
    assert told["TIDEMARK_DBT_PROJECT_DIR"] == str(tmp_path / "theirs")
    assert told["TIDEMARK_DBT_TARGET_DIR"] == str(tmp_path / "theirs" / "target")
    assert told["DBT_PROFILES_DIR"] == str(tmp_path / "profiles")


@pytest.mark.parametrize("port", [0, 65536, "http"])
def test_a_port_that_is_none_is_refused(port: Any) -> None:
    with pytest.raises(SettingsError, match="TIDEMARK_KAFKA_PORT is"):
        EmbeddedSettings(kafka_port=port)


def test_two_services_are_not_given_one_port() -> None:
    with pytest.raises(SettingsError, match="TIDEMARK_KAFKA_PORT and TIDEMARK_WAREHOUSE_PORT are both 21190"):
        EmbeddedSettings(kafka_port=21190, warehouse_port=21190)


def test_airflow_keys_are_made_once_and_kept_private(tmp_path: Path) -> None:
    first = EmbeddedSettings(home=tmp_path)
    again = EmbeddedSettings(home=tmp_path)
    assert first.airflow_environment() == again.airflow_environment()
    secrets = first.airflow_secrets
    assert json.loads((tmp_path / "airflow" / "passwords.json").read_text()) == {"admin": secrets.password}
    for file in ("secrets.json", "passwords.json"):
        assert stat.S_IMODE((tmp_path / "airflow" / file).stat().st_mode) == 0o600
    assert secrets.password not in repr(secrets)
    assert secrets.jwt_secret not in repr(secrets)


def test_two_stacks_share_no_key(tmp_path: Path) -> None:
    one = EmbeddedSettings(home=tmp_path / "1").airflow_secrets
    other = EmbeddedSettings(home=tmp_path / "2").airflow_secrets
    assert one.jwt_secret != other.jwt_secret
    assert one.password != other.password


def test_the_warehouse_has_passwords_of_its_own_kept_private(tmp_path: Path) -> None:
    one, other = (EmbeddedSettings(home=tmp_path / name) for name in "12")
    made = one.warehouse_environment()
    assert made == EmbeddedSettings(home=tmp_path / "1").warehouse_environment()
    assert made.items() <= one.client_environment().items()
    assert len({*made.values(), *other.warehouse_environment().values()}) == 4, "no password is used twice"
    (file,) = (tmp_path / "1").rglob("warehouse.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "warehouse" not in file.relative_to(tmp_path / "1").parts[:-1], "SQL reads the warehouse's folder"


def test_a_password_that_the_caller_sets_is_the_warehouses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMARK_WAREHOUSE_READER_PASSWORD", "mine")
    settings = EmbeddedSettings(home=tmp_path)
    assert settings.warehouse_environment()["TIDEMARK_WAREHOUSE_READER_PASSWORD"] == "mine"
    assert "mine" not in repr(settings)


def test_airflow_asks_for_a_login_and_listens_on_this_machine_only(tmp_path: Path) -> None:
    told = EmbeddedSettings(home=tmp_path).airflow_environment()
    assert "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS" not in told
    assert told["AIRFLOW__API__HOST"] == "127.0.0.1"


def test_the_control_socket_fits_however_deep_the_home(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 30)
    socket = EmbeddedSettings(home=deep).socket
    assert len(os.fsencode(socket)) <= LONGEST_SOCKET_PATH
    assert socket != EmbeddedSettings(home=deep / "x").socket
    assert EmbeddedSettings(home=Path("/srv/t")).socket == Path("/srv/t/run/supervisor.sock")
