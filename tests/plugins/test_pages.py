"""The hosted pages: only behind Airflow's login, and never a file outside their folders."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from wiring.project import Project, forget, keep

PLUGIN = Path(__file__).resolve().parents[2] / "plugins" / "plugin.py"
SECRET = "the secret that lies beside the reports"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("state")
    (folder / "secrets.json").write_text(SECRET)
    report = folder / "reports" / "run-1"
    report.mkdir(parents=True)
    answer = {"question": "Who is <b>best</b>?", "status": "answered"}
    (report / "answer.json").write_text(json.dumps(answer))
    (report / "index.html").write_text("<h1>the report</h1>")
    (folder / "reports" / "half").mkdir()
    (folder / "reports" / "half" / "index.html").touch()
    (folder / "reports" / "half" / "answer.json").write_text("{")
    (report / "link").symlink_to(folder / "secrets.json")
    docs = folder / "dbt"
    docs.mkdir()
    (docs / "static_index.html").write_text("the models")
    (docs / "dbt.log").write_text(SECRET)
    return folder


@pytest.fixture(scope="module")
def client(state: Path) -> Iterator[TestClient]:
    from airflow.api_fastapi.app import init_auth_manager
    from airflow.utils.db import initdb

    initdb()
    spec = importlib.util.spec_from_file_location("plugin", PLUGIN)
    assert spec is not None
    assert spec.loader is not None
    plugin = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plugin)
    host = FastAPI()
    init_auth_manager(host)
    for hosted in plugin.TidemarkPlugin.fastapi_apps:
        host.mount(hosted["url_prefix"], hosted["app"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIDEMARK_STATE_DIR", str(state))
        patch.setenv("TIDEMARK_DBT_TARGET_DIR", str(state / "dbt"))
        yield TestClient(host)


@pytest.fixture(scope="module")
def token(client: TestClient) -> str:
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    return get_auth_manager().generate_jwt(SimpleAuthManagerUser(username="vic", role="viewer"))


@pytest.fixture(scope="module")
def viewer(client: TestClient, token: str) -> TestClient:
    return TestClient(client.app, headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize(
    "path", ["reports/", "reports/run-1/", "reports/run-1/answer.json", "docs/", "docs/x", ""]
)
def test_without_a_login_there_is_nothing(client: TestClient, path: str) -> None:
    assert client.get(f"/tidemark/{path}", follow_redirects=False).status_code == 401


def test_airflows_cookie_is_a_login(client: TestClient, token: str) -> None:
    found = TestClient(client.app, cookies={"_token": token}).get("/tidemark/reports/run-1/")
    assert found.status_code == 200
    assert found.text == "<h1>the report</h1>"
    assert "connect-src 'none'" in found.headers["content-security-policy"]


def test_the_list_names_each_whole_report_and_escapes_questions(viewer: TestClient) -> None:
    page = viewer.get("/tidemark/reports/").text
    assert "Who is &lt;b&gt;best&lt;/b&gt;?" in page
    assert "answered" in page
    assert "/tidemark/reports/run-1/" in page
    assert "half" not in page


def test_dbt_docs_are_the_site_and_not_the_folder(viewer: TestClient) -> None:
    assert viewer.get("/tidemark/docs/").text == "the models"
    assert viewer.get("/tidemark/docs/dbt.log").status_code == 404


def test_dbt_docs_are_those_of_the_connected_project(viewer: TestClient, tmp_path: Path) -> None:
    from tidemark_airflow.pages import settings

    (tmp_path / "static_index.html").write_text("their models")
    told = settings()
    project = Project(
        name="clinic",
        folder=tmp_path,
        artifacts=tmp_path,
        warehouse_url=told.warehouse.warehouse_url,
    )
    keep(told, project)
    try:
        assert viewer.get("/tidemark/docs/").text == "their models"
    finally:
        forget(told)
    assert viewer.get("/tidemark/docs/").text == "the models"


@pytest.mark.parametrize(
    "path",
    [
        "../secrets.json",
        "..%2Fsecrets.json",
        "run-1/..%2f..%2fsecrets.json",
        "run-1/%2e%2e/%2e%2e/secrets.json",
        "run-1/link",
        "run-1/%00",
        "%2e%2e/secrets.json",
        "run-1//etc/passwd",
    ],
)
def test_no_way_leads_out_of_the_reports(viewer: TestClient, path: str) -> None:
    found = viewer.get(f"/tidemark/reports/{path}")
    assert found.status_code == 404
    assert SECRET not in found.text


@given(
    st.lists(
        st.sampled_from(["..", ".", "run-1", "link", "secrets.json", "", "~", "\0", "reports"]), max_size=6
    )
)
def test_whatever_the_name_only_files_below_the_folder_are_served(state: Path, parts: list[str]) -> None:
    from fastapi import HTTPException

    from tidemark_airflow.pages import serve

    root = state / "reports"
    try:
        served = serve(root, "/".join(parts), {})
    except HTTPException:
        return
    assert Path(served.path).resolve().is_relative_to(root.resolve())
