"""What the client asks of BigQuery, where an emulator does not do it: a server that keeps each request."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pyarrow as pa
import pytest

from warehouse import Limits, Warehouse, WarehouseSettings, connect
from warehouse.bigquery import dbt_environment
from warehouse.client import ColumnSpec, TableSpec
from warehouse.errors import (
    AccessDeniedError,
    CancelledError,
    LimitExceededError,
    OverloadedError,
    QueryError,
    SettingsError,
    TidemarkError,
    UnreachableError,
)
from warehouse.labels import labelled

Answer = tuple[int, dict[str, Any]]
SCHEMA = {"fields": [{"name": "n", "type": "INTEGER", "mode": "NULLABLE"}]}
NUMBERS = TableSpec("ods.t", (ColumnSpec("n", "bigint"),), "", ())
TIB = 2**40


def failed(status: int, reason: str, message: str = "It went wrong") -> Answer:
    return status, {
        "error": {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
    }


@dataclass
class Project:
    """Its queries read `estimate` bytes and have one row; `meets` is answered first, in its order."""

    estimate: int = 0
    statement: str = "SELECT"
    ends: bool = True
    meets: list[Answer] = field(default_factory=list)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    url: str = ""
    # What is lost once it has come: an "upload", that a job has "begun", its "result"; and how many break.
    loses: str = ""
    breaks: int = 0

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Answer:
        self.asked.append((method, path, body))
        if self.meets:
            return self.meets.pop(0)
        if path.endswith("/cancel"):
            return 200, {"job": self.job(path.split("/")[-2], {})}
        if method == "POST":
            return self.begun(body)
        job_id = path.rpartition("/")[2]
        if "/queries/" in path:
            if self.loses == "result":
                self.loses = ""
                return failed(503, "backendError")
            done = {
                "jobComplete": self.ends,
                "schema": SCHEMA,
                "rows": [{"f": [{"v": "1"}]}],
                "totalRows": "1",
            }
            return 200, done | {"jobReference": {"projectId": "demo", "jobId": job_id}}
        known = self.jobs.get(job_id)
        return (200, known) if known else failed(404, "notFound")

    def begun(self, body: dict[str, Any]) -> Answer:
        job_id = body["jobReference"]["jobId"]
        if job_id in self.jobs:
            return failed(409, "duplicate", f"Already Exists: Job {job_id}")
        job = self.job(job_id, body["configuration"])
        if not body["configuration"].get("dryRun"):
            self.jobs[job_id] = job
            if self.breaks:
                self.breaks -= 1
                job["status"]["errorResult"] = {"reason": "backendError", "message": "It broke"}
            if self.loses == "begun":
                self.loses = ""
                return failed(503, "backendError")
        return 200, job

    def job(self, job_id: str, configuration: dict[str, Any]) -> dict[str, Any]:
        return {
            "jobReference": {"projectId": "demo", "jobId": job_id, "location": "US"},
            "configuration": configuration,
            "status": {"state": "DONE" if self.ends else "RUNNING"},
            "statistics": {
                "totalBytesProcessed": str(self.estimate),
                "query": {
                    "statementType": self.statement,
                    "totalBytesProcessed": str(self.estimate),
                    "totalBytesBilled": str(self.estimate),
                    "schema": SCHEMA,
                },
            },
        }

    @property
    def begun_jobs(self) -> list[dict[str, Any]]:
        return [body["configuration"] for method, path, body in self.asked if "configuration" in body]


@contextmanager
def served(project: Project) -> Iterator[Project]:
    uploads: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            body = json.loads(raw or "{}")
            if "uploadType=resumable" in self.path:
                uploads.append(body)
                self._send(200, {}, location=f"http://{self.headers['host']}{self.path}")
            else:
                self._say("POST", body)

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            if project.loses == "upload":
                project.loses = ""
                return
            self._say("POST", uploads.pop())

        def do_GET(self) -> None:
            self._say("GET", {})

        def _say(self, method: str, body: dict[str, Any]) -> None:
            self._send(*project.answer(method, self.path.partition("?")[0], body))

        def _send(self, status: int, answer: dict[str, Any], **headers: str) -> None:
            text = json.dumps(answer).encode()
            self.send_response(status)
            headers |= {"content-type": "application/json", "content-length": str(len(text))}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    project.url = f"bigquery://demo?api_endpoint=http://127.0.0.1:{server.server_address[1]}"
    try:
        yield project
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def project() -> Iterator[Project]:
    with served(Project()) as running:
        yield running


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.retrying._WAITS", (0.0, 0.0))


def opened(project: Project, *, read_only: bool = True, **settings: Any) -> Warehouse:
    return connect(WarehouseSettings(warehouse_url=project.url, **settings), read_only=read_only)


def test_a_query_is_estimated_and_then_capped_and_labelled(project: Project) -> None:
    project.estimate = TIB // 4
    warehouse = opened(project, bigquery_billed_bytes=TIB, bigquery_usd_per_tib=8.0)
    with labelled(agent="Analyst 2", run="run/1", stage=""):
        result = warehouse.query("SELECT 1 AS n", limits=Limits(seconds=9.5))
    assert result.rows == [(1,)]
    assert [(one.name, one.type) for one in result.columns] == [("n", "INT64")]
    assert (result.cost.bytes, result.cost.usd) == (TIB // 4, 2.0)
    estimated, ran = project.begun_jobs
    assert estimated["dryRun"] is True
    assert "dryRun" not in ran
    assert ran["query"]["maximumBytesBilled"] == str(TIB)
    assert ran["jobTimeoutMs"] == "9500"
    for job in (estimated, ran):
        assert job["labels"] == {"application": "tidemark", "agent": "analyst_2", "run": "run_1"}


def test_a_query_over_the_cap_is_refused_with_its_estimate_and_not_run(project: Project) -> None:
    project.estimate = 3 * 2**30
    refused = opened(project, bigquery_billed_bytes=2**30)
    with pytest.raises(LimitExceededError, match=r"3 GiB, about \$0\.02.* may read 1 GiB.* not run"):
        refused.query("SELECT 1 AS n")
    assert [job.get("dryRun") for job in project.begun_jobs] == [True]
    assert refused.query("SELECT 1 AS n", limits=Limits(billed_bytes=4 * 2**30)).rows == [(1,)]
    assert project.begun_jobs[-1]["query"]["maximumBytesBilled"] == str(4 * 2**30)


def test_a_dry_run_says_columns_bytes_and_money(project: Project) -> None:
    project.estimate = TIB
    plan = opened(project, bigquery_usd_per_tib=6.25).dry_run("SELECT 1 AS n")
    assert ([(one.name, one.type) for one in plan.columns], plan.cost.bytes, plan.cost.usd) == (
        [("n", "INT64")],
        TIB,
        6.25,
    )


@pytest.mark.parametrize("statement", ["DELETE", "SCRIPT", "CREATE_TABLE", "EXPORT_DATA"])
def test_what_the_server_takes_for_no_select_is_not_run(project: Project, statement: str) -> None:
    project.statement = statement
    with pytest.raises(QueryError, match=statement):
        opened(project).query("SELECT 1 AS n")
    assert len(project.begun_jobs) == 1


def test_a_reading_connection_writes_nothing(project: Project) -> None:
    warehouse = opened(project)
    for write in (
        lambda: warehouse.execute("DROP TABLE dwd.t"),
        lambda: warehouse.insert(NUMBERS, pa.table({"n": [1]})),
    ):
        with pytest.raises(AccessDeniedError):
            write()
    assert not project.asked


def test_a_query_that_outlasts_its_time_is_cancelled(project: Project) -> None:
    project.ends = False
    with pytest.raises(LimitExceededError, match=r"more than 0\.2 seconds and was cancelled"):
        opened(project).query("SELECT 1 AS n", limits=Limits(seconds=0.2))
    assert project.asked[-1][1].endswith("/cancel")


@pytest.mark.parametrize(
    ("meets", "error", "said"),
    [
        (failed(400, "invalidQuery", "Syntax error at [1:1]"), QueryError, r"^Syntax error at \[1:1\]\.$"),
        (failed(404, "notFound", "Not found: Table demo:dwd.t"), QueryError, "Not found: Table"),
        (failed(403, "accessDenied"), AccessDeniedError, "BigQuery Job User"),
        (failed(403, "billingNotEnabled"), AccessDeniedError, "demo"),
        (failed(403, "quotaExceeded", "Quota exceeded"), OverloadedError, "Quota exceeded.*later"),
        (failed(403, "rateLimitExceeded"), OverloadedError, "later"),
        (
            failed(403, "bytesBilledLimitExceeded", "Query exceeded limit"),
            LimitExceededError,
            "exceeded limit",
        ),
        (
            failed(400, "bytesBilledLimitExceeded", "Query exceeded limit"),
            LimitExceededError,
            "exceeded limit",
        ),
        (failed(403, "responseTooLarge"), LimitExceededError, "wrong"),
        (failed(400, "resourcesExceeded"), LimitExceededError, "wrong"),
        (failed(503, "backendError"), OverloadedError, "later"),
        (failed(400, "stopped"), CancelledError, "again"),
    ],
)
def test_the_servers_reasons_are_our_errors(
    project: Project, meets: Answer, error: type[TidemarkError], said: str
) -> None:
    project.meets = [meets] * 3
    with pytest.raises(error, match=said) as raised:
        opened(project).query("SELECT 1 AS n")
    assert "POST" not in str(raised.value)
    # Only what may work later is tried again, and not for long.
    assert len(project.asked) == (3 if error is OverloadedError else 1)


def test_a_busy_server_is_asked_again(project: Project) -> None:
    project.meets = [failed(503, "backendError"), failed(429, "rateLimitExceeded")]
    assert opened(project).query("SELECT 1 AS n").rows == [(1,)]


@pytest.mark.parametrize("lost", ["begun", "result"])
def test_a_query_whose_answer_is_lost_is_charged_for_once(project: Project, lost: str) -> None:
    project.loses = lost
    assert opened(project).query("SELECT 1 AS n").rows == [(1,)]
    assert len(project.jobs) == 1


def test_a_query_whose_job_failed_for_now_is_begun_anew(project: Project) -> None:
    project.breaks = 1
    assert opened(project).query("SELECT 1 AS n").rows == [(1,)]
    assert len(project.jobs) == 2


def test_a_server_that_is_away_is_said_soon() -> None:
    away = WarehouseSettings(warehouse_url="bigquery://demo?api_endpoint=http://127.0.0.1:1")
    with pytest.raises(UnreachableError, match=r"demo at http://127\.0\.0\.1:1 did not answer.*refused"):
        connect(away).query("SELECT 1")


def test_a_name_that_is_no_tables_finds_none(project: Project) -> None:
    assert opened(project).tables(["weird", "a.b.c"]) == []


def test_a_result_larger_than_it_may_be_is_refused(project: Project) -> None:
    warehouse = opened(project)
    with pytest.raises(LimitExceededError, match="has 1 rows"):
        warehouse.query("SELECT 1 AS n", limits=Limits(rows=0))
    with pytest.raises(LimitExceededError, match="larger than"):
        warehouse.query("SELECT 1 AS n", limits=Limits(bytes=0))


def insert(project: Project) -> None:
    opened(project, read_only=False).insert(NUMBERS, pa.table({"n": [1]}), token="batch 1")


def test_an_upload_that_is_cut_off_says_so(project: Project) -> None:
    project.loses = "upload"
    with pytest.raises(UnreachableError, match=r"did not answer \(Remote end closed connection"):
        insert(project)
    insert(project)
    assert len(project.jobs) == 1


def test_a_token_is_a_jobs_id_which_runs_once(project: Project) -> None:
    insert(project)
    insert(project)
    assert len(project.jobs) == len(project.begun_jobs) == 1
    [job] = project.begun_jobs
    assert job["load"]["sourceFormat"] == "PARQUET"
    assert job["load"]["writeDisposition"] == "WRITE_APPEND"


def test_a_token_whose_job_failed_is_tried_under_the_next_id(project: Project) -> None:
    insert(project)
    [(first, job)] = project.jobs.items()
    job["status"]["errorResult"] = {"reason": "backendError", "message": "It broke"}
    insert(project)
    insert(project)
    assert sorted(project.jobs) == [first, first.removesuffix("_0") + "_1"]


def test_a_token_that_another_process_is_loading_is_waited_for(project: Project) -> None:
    insert(project)
    # It begins between the question and the job: unknown, then taken, then known.
    project.meets = [failed(404, "notFound"), failed(409, "duplicate")]
    insert(project)
    assert len(project.jobs) == 1


@pytest.mark.parametrize(
    "url",
    ["bigquery://", "bigquery:///EU", "bigquery://demo/EU/x", "bigquery://demo?key=1", "bigquery://de mo"],
)
def test_a_url_that_names_no_project_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="bigquery://project"):
        connect(WarehouseSettings(warehouse_url=url))


def test_dbt_logs_in_as_the_connection_does() -> None:
    real = dbt_environment(WarehouseSettings(warehouse_url="bigquery://shop-1/EU"))
    assert real["TIDEMARK_DBT_TARGET"] == "bigquery"
    assert (real["TIDEMARK_DBT_BIGQUERY_METHOD"], real["TIDEMARK_DBT_BIGQUERY_LOCATION"]) == ("oauth", "EU")
    local = dbt_environment(
        WarehouseSettings(warehouse_url="bigquery://demo?api_endpoint=http://127.0.0.1:9050")
    )
    assert local["TIDEMARK_DBT_BIGQUERY_METHOD"] == "oauth-secrets"
    assert local["TIDEMARK_DBT_BIGQUERY_ENDPOINT"] == "http://127.0.0.1:9050"


def test_no_credentials_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere.json")
    with pytest.raises(AccessDeniedError, match="gcloud auth"):
        connect(WarehouseSettings(warehouse_url="bigquery://demo")).query("SELECT 1")
