"""A dbt project that is not ours, connected: parsed beside its tree, read where its profile leads, kept."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bikes import FIXTURES
from warehouse.dbt_project import parse_project
from warehouse.dbt_runner import DbtError, run_dbt
from warehouse.errors import SettingsError
from warehouse_process import warehouse_server
from wiring.analyst import open_analyst
from wiring.project import (
    Choice,
    Project,
    check_access,
    connected,
    forget,
    keep,
    of_connected,
    of_project,
    prepared,
    refreshed,
)
from wiring.settings import Settings

pytestmark = pytest.mark.integration

PROFILE = """
rental:
  target: clicks
  outputs:
    clicks: &clicks {{type: clickhouse, host: 127.0.0.1, port: {port}, user: tidemark, password: tidemark,
      schema: analytics, check_exchange: false, use_lw_deletes: false}}
    elsewhere: {{<<: *clicks, host: warehouse.example, port: 8443, secure: true}}
    native: {{<<: *clicks, port: 9000}}
    typo: {{<<: *clicks, type: clickhouze}}
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with warehouse_server(tmp_path_factory.mktemp("data")) as server:
        yield server.url


@pytest.fixture(scope="module")
def folder(url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody's project, with its profile in it."""
    folder = tmp_path_factory.mktemp("theirs") / "rental"
    shutil.copytree(FIXTURES / "bikes", folder)
    (folder / "profiles.yml").write_text(PROFILE.format(port=url.rpartition(":")[2]))
    return folder


@pytest.fixture(scope="module")
def settings(url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings.read(
        {
            "TIDEMARK_WAREHOUSE_URL": url,
            "TIDEMARK_WAREHOUSE_PASSWORD": "tidemark",
            "TIDEMARK_WAREHOUSE_READER_PASSWORD": "reader",
            "TIDEMARK_STATE_DIR": str(tmp_path_factory.mktemp("state")),
            "TIDEMARK_KAFKA_BOOTSTRAP": "127.0.0.1:1",
            "TIDEMARK_FLUSH_SECONDS": "0.1",
        }
    )


@pytest.fixture(scope="module")
def project(folder: Path, settings: Settings) -> Project:
    return prepared(settings, Choice(folder))


def tree(folder: Path) -> dict[str, Any]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_project_is_parsed_and_nothing_is_written_into_it(folder: Path, settings: Settings) -> None:
    before = tree(folder)
    project = prepared(settings, Choice(folder))
    assert tree(folder) == before
    assert project.artifacts.is_relative_to(settings.agents.state_dir)
    assert (project.artifacts / "semantic_manifest.json").is_file()
    # The profile names 127.0.0.1 and the stack's own port: it is the stack's warehouse.
    assert project.warehouse_url == settings.warehouse.warehouse_url


def test_tables_that_are_not_built_are_told_apart_from_those_that_are(
    project: Project, settings: Settings
) -> None:
    of_it = of_project(settings, project)
    found = check_access(of_it)
    assert "analytics.rides" in found.missing
    assert not found.refused
    run_dbt(of_it.warehouse, ["build"])
    found = check_access(of_it)
    assert "analytics.rides" in found.readable
    assert not found.missing


def test_what_is_kept_is_what_is_asked(project: Project, settings: Settings) -> None:
    assert connected(settings) is None
    assert of_connected(settings) == settings
    keep(settings, project)
    run_dbt(of_project(settings, project).warehouse, ["build"])
    with open_analyst(of_connected(settings)) as analyst:
        answer = analyst.ask("How many rides were there?")
    assert answer.status == "answered"
    assert "analytics" in answer.sql
    assert forget(settings)
    assert not forget(settings)
    assert of_connected(settings) == settings


def test_a_project_is_parsed_anew_when_it_was_changed_and_only_then(
    folder: Path, project: Project, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[object] = []
    real = parse_project
    monkeypatch.setattr("wiring.project.parse_project", lambda *a, **k: parsed.append(a) or real(*a, **k))
    assert refreshed(settings, project) == project
    assert not parsed
    (folder / "models" / "extra.sql").write_text("select 1 as one")
    refreshed(settings, project)
    assert len(parsed) == 1
    (folder / "models" / "extra.sql").unlink()
    refreshed(settings, project)
    assert len(parsed) == 2
    refreshed(settings, project)
    assert len(parsed) == 2


def test_another_server_is_asked_as_its_own_reader(folder: Path, settings: Settings) -> None:
    project = prepared(settings, Choice(folder, target="elsewhere"))
    assert project.warehouse_url == "https://warehouse.example:8443"
    read = of_project(settings, project).warehouse
    assert read.warehouse_url == project.warehouse_url
    assert read.warehouse_reader_user == "reader"
    assert not read.warehouse_reader_password.get_secret_value()
    # Neither is our writer's password shown there.
    assert not read.warehouse_password.get_secret_value()


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"target": "native"}, "native protocol; .* --warehouse http://host:8123"),
        ({"target": "nowhere"}, "does not have a target named 'nowhere'"),
        ({"target": "typo"}, "clickhouze"),
        ({"schemas": ("marts",)}, "read the schemas analytics, and analytics is not among .*marts"),
        ({"overlay": Path("/no/tidemark.yml")}, "There is no overlay /no/tidemark.yml"),
    ],
)
def test_a_choice_that_cannot_be_is_told(
    folder: Path, settings: Settings, choice: dict[str, Any], told: str
) -> None:
    with pytest.raises((DbtError, SettingsError), match=told):
        prepared(settings, Choice(folder, **choice))


def test_a_native_profile_is_asked_where_one_says(folder: Path, settings: Settings, url: str) -> None:
    project = prepared(settings, Choice(folder, target="native", warehouse=url))
    assert project.warehouse_url == url


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        (None, "", "has no dbt_project.yml"),
        ("dbt_project.yml", "version: 2", "names no project"),
        ("dbt_project.yml", "name: [", "cannot be read"),
    ],
)
def test_what_is_no_project_is_told(
    tmp_path: Path, settings: Settings, file: str | None, text: str, told: str
) -> None:
    if file:
        (tmp_path / file).write_text(text)
    with pytest.raises(DbtError, match=told):
        prepared(settings, Choice(tmp_path))


def test_a_project_without_metrics_is_told(folder: Path, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "one.sql").write_text("select 1 as one")
    (tmp_path / "dbt_project.yml").write_text("name: bare\nprofile: rental")
    shutil.copy(folder / "profiles.yml", tmp_path)
    with pytest.raises(DbtError, match="has no metrics"):
        prepared(settings, Choice(tmp_path))


def test_what_is_kept_and_damaged_is_told(settings: Settings) -> None:
    file = settings.agents.state_dir / "project.json"
    file.write_text("{")
    try:
        with pytest.raises(SettingsError, match="Connect the project again"):
            connected(settings)
    finally:
        file.unlink()
