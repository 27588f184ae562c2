"""The newcomer's path on the real stack: one command, then questions, pages, the command again."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import httpx
import pytest

from embedded.airflow import AirflowApi
from embedded.settings import EmbeddedSettings

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200)]

DAGS = {"ask", "commerce_ingestion", "tidemark_pipeline", "weekly_report"}


@pytest.fixture(scope="module")
def settings(stack) -> EmbeddedSettings:
    return stack.settings


def test_the_summary_has_rows_in_every_layer(first) -> None:
    for layer in ("ods", "dwd", "dws", "ads"):
        found = re.search(rf"^\s+{layer}\s+([\d,]+) rows", first.stdout, re.M)
        assert found, first.stdout
        assert int(found[1].replace(",", "")) > 0


def test_the_summary_answers_a_question_about_the_agents_own_runs(first, stack, settings) -> None:
    airflow = AirflowApi.of(settings)
    run = next(run for run in airflow.dag_runs("tidemark_pipeline") if run["state"] == "success")
    answers = airflow.xcom("tidemark_pipeline", run["dag_run_id"], "answer_about_runs")
    about_tools = next(answer for answer in answers if "Which tool" in answer["question"])
    assert about_tools["status"] == "answered", about_tools
    assert "ads_agent_tool_calls_minutely" in about_tools["sql"]
    assert about_tools["question"] in first.stdout


def test_growth_is_of_a_whole_month_over_a_whole_month(first, stack) -> None:
    rows = (
        stack.warehouse(read_only=True)
        .query("select revenue, revenue_growth from ads.ads_sales_monthly order by month")
        .rows
    )
    assert len(rows) > 3
    growth = [found for _, found in rows]
    assert growth[0] is growth[1] is growth[-1] is None
    for (before, _), (revenue, found) in list(pairwise(rows))[1:-1]:
        assert found == pytest.approx(revenue / before - 1)


def test_airflow_shows_green_runs_of_all_dags(first, settings) -> None:
    airflow = AirflowApi.of(settings)
    green = {dag for dag in DAGS if any(run["state"] == "success" for run in airflow.dag_runs(dag))}
    red = {dag for dag in DAGS if any(run["state"] == "failed" for run in airflow.dag_runs(dag))}
    assert (green, red) == (DAGS, set())


@pytest.mark.parametrize("page", ["/tidemark/reports/", "/tidemark/docs/"])
def test_pages_ask_for_a_login_and_then_show(first, settings, page: str) -> None:
    secrets = settings.airflow_secrets
    with httpx.Client(base_url=settings.airflow_url, trust_env=False, follow_redirects=True) as http:
        assert http.get(page).status_code == 401
        login = {"username": secrets.user, "password": secrets.password}
        token = http.post("/auth/token", json=login).json()["access_token"]
        shown = http.get(page, headers={"authorization": f"Bearer {token}"})
    assert shown.status_code == 200
    assert "<html" in shown.text.lower()


def test_ask_answers_prints_and_writes_its_report(first, stack) -> None:
    asked = stack.tidemark("ask", "上个月销售额最高的五个品类是什么？", "--json")
    assert asked.returncode == 0, asked.stdout + asked.stderr
    answer = json.loads(asked.stdout)
    assert answer["status"] == "answered"
    assert len(answer["rows"]) == 5
    folder = stack.home / "reports" / answer["run_id"]
    assert {"answer.json", "answer.md", "index.html", "chart.svg", "chart.png", "data.csv"} <= {
        file.name for file in folder.iterdir()
    }


def test_ask_declines_what_it_cannot_link(first, stack) -> None:
    asked = stack.tidemark("ask", "员工的平均工资是多少？", "--json")
    assert asked.returncode == 3
    answer = json.loads(asked.stdout)
    assert answer["status"] == "declined"
    assert answer["suggestions"]


def test_a_second_pass_reuses_everything(first, stack) -> None:
    again = stack.tidemark("run")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "the commerce sample is there" in again.stdout
