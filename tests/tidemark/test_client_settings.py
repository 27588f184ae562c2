"""What the command line is led to: this machine's stack, unless the environment names something else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from embedded.settings import EmbeddedSettings
from tidemark.stack import client_settings
from warehouse.errors import PermanentError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stack that has been started once, and an environment that says nothing else."""
    for name in [name for name in os.environ if name.startswith("TIDEMARK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TIDEMARK_HOME", str(tmp_path))
    monkeypatch.setenv("TIDEMARK_WAREHOUSE_PORT", "4711")
    EmbeddedSettings().warehouse_environment()
    return tmp_path


def test_it_is_led_to_the_stack_and_the_environment_stays_as_it_was(home: Path) -> None:
    before = dict(os.environ)
    read = client_settings()
    assert read.warehouse.warehouse_url == "http://127.0.0.1:4711"
    assert read.warehouse.warehouse_reader_password.get_secret_value()
    assert read.warehouse.manifest_path == home / "dbt" / "manifest.json"
    assert read.streaming.spool_dir == home / "spool"
    assert read.agents.reports_dir == home / "reports"
    assert dict(os.environ) == before


def test_another_server_is_not_shown_these_passwords(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMARK_WAREHOUSE_URL", "https://warehouse.example:8443")
    read = client_settings().warehouse
    assert read.warehouse_url == "https://warehouse.example:8443"
    assert not read.warehouse_password.get_secret_value()
    assert not read.warehouse_reader_password.get_secret_value()


def test_another_warehouse_is_chosen_by_url_or_name(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMARK_WAREHOUSES", '{"bigquery": "bigquery://demo/EU"}')
    for chosen in ("bigquery", "bigquery://demo/EU"):
        read = client_settings(chosen).warehouse
        assert read.warehouse_url == "bigquery://demo/EU"
        assert read.manifest_path == home / "dbt-bigquery" / "manifest.json"
        assert not read.warehouse_password.get_secret_value()
    assert client_settings("http://127.0.0.1:4711") == client_settings()
    with pytest.raises(PermanentError, match=r"'snowflake'.*it has bigquery"):
        client_settings("snowflake")
