"""`tidemark connect` and what follows the choice: `ask`, and Airflow's DAG of the project."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bikes import FIXTURES
from tidemark.cli import app
from warehouse.dbt_runner import run_dbt
from warehouse_process import warehouse_server
from wiring.project import of_connected
from wiring.settings import Settings

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with warehouse_server(tmp_path_factory.mktemp("data")) as server:
        yield server.url


@pytest.fixture
def bikes(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The bicycle shop's project and a stack's home; the profile is where DBT_PROFILES_DIR says."""
    for name, value in {
        "TIDEMARK_HOME": str(tmp_path / "home"),
        "TIDEMARK_STATE_DIR": str(tmp_path / "home"),
        "TIDEMARK_WAREHOUSE_URL": url,
        "TIDEMARK_WAREHOUSE_PASSWORD": "tidemark",
        "TIDEMARK_WAREHOUSE_READER_PASSWORD": "reader",
        "TIDEMARK_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "TIDEMARK_FLUSH_SECONDS": "0.1",
        "DBT_PROFILES_DIR": str(FIXTURES / "profiles"),
    }.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "bikes"
    shutil.copytree(FIXTURES / "bikes", folder)
    return folder


def said(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "400"})


def test_a_project_is_chosen_built_asked_and_let_go(bikes: Path) -> None:
    assert "No project is connected" in said("connect").output
    chosen = said("connect", bikes)
    assert chosen.exit_code == 0, chosen.output
    assert f"connected: bikes ({bikes})" in chosen.output
    assert "analytics.rides" in chosen.output.partition("not built yet: ")[2]
    run_dbt(of_connected(Settings.read()).warehouse, ["build"])
    assert "not built yet" not in said("connect", bikes).output
    asked = said("ask", "How many rides were there?", "--json")
    assert asked.exit_code == 0, asked.output
    assert '"status":"answered"' in asked.output
    assert said("connect", "--off").exit_code == 0
    assert "No project is connected" in said("connect").output


def test_a_project_is_asked_for_once(bikes: Path) -> None:
    said("ask", "--project", bikes, "rides", "--json")
    settings = Settings.read()
    assert list((settings.agents.state_dir / "projects").glob("bikes-*/semantic_manifest.json"))
    assert "No project is connected" in said("connect").output


def test_a_reader_that_may_not_read_is_told_and_nothing_is_chosen(
    bikes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMARK_WAREHOUSE_READER_PASSWORD", "wrong")
    refused = said("connect", bikes)
    assert refused.exit_code == 1
    assert "The reader may not read analytics." in refused.output
    assert "No project is connected" in said("connect").output


def test_what_is_no_project_ends_in_one_line(bikes: Path, tmp_path: Path) -> None:
    refused = said("connect", tmp_path)
    assert refused.exit_code == 1
    assert "has no dbt_project.yml" in refused.output
    assert refused.stderr.count("error: ") == 1


def test_a_domain_that_the_project_has_not_is_told(bikes: Path) -> None:
    refused = said("ask", "--project", bikes, "--domain", "finance", "rides")
    assert refused.exit_code == 1
    assert "There is no domain 'finance'" in refused.output
