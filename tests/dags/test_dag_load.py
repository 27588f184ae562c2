"""The DAG folder as Airflow sees it: which DAGs, which tasks, in which order, and how cheap to parse."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import ParamValidationError

DAGS = Path(__file__).resolve().parents[2] / "dags"
TASKS = {
    "ask": ["answer"],
    "commerce_ingestion": ["load_days", "loaded", "steward", "propose"],
    "mend": ["decide", "mend"],
    "tidemark_pipeline": [
        "ods", "gate_ods", "dwd", "gate_dwd", "dws", "gate_dws", "ads", "gate_ads",
        "answer_questions", "dbt_docs", "report", "wait_for_telemetry", "refresh_agents", "answer_about_runs",
        "steward", "propose",
    ],
    "weekly_report": ["report"],
}  # fmt: skip


@pytest.fixture(scope="module")
def dags() -> dict[str, Any]:
    bag = DagBag(DAGS)
    assert bag.import_errors == {}
    return bag.dags


@pytest.mark.parametrize("dag_id", TASKS)
def test_a_dag_has_exactly_these_tasks(dags: dict[str, Any], dag_id: str) -> None:
    assert sorted(dags[dag_id].task_ids) == sorted(TASKS[dag_id])


def test_a_new_dag_is_one_file(tmp_path: Path) -> None:
    (tmp_path / "nightly.py").write_text(
        "from airflow.sdk import DAG\n"
        "from tidemark_airflow.operators import DbtOperator, GateOperator\n"
        "from tidemark_airflow.scheduling import RETRIES\n"
        "with DAG('nightly', schedule='@daily', default_args=RETRIES):\n"
        "    DbtOperator(task_id='ods', select='path:models/ods') >> GateOperator(task_id='g', layer='ods')\n"
    )
    bag = DagBag(tmp_path)
    assert bag.import_errors == {}
    assert sorted(bag.dags["nightly"].task_ids) == ["g", "ods"]


def test_each_layer_waits_for_the_gate_of_the_one_before(dags: dict[str, Any]) -> None:
    pipeline = dags["tidemark_pipeline"]
    for layer, gate in (("dwd", "gate_ods"), ("dws", "gate_dwd"), ("ads", "gate_dws")):
        assert pipeline.get_task(layer).upstream_task_ids == {gate}
        assert pipeline.get_task(layer).trigger_rule == "all_success"
    assert pipeline.get_task("refresh_agents").upstream_task_ids == {"wait_for_telemetry"}


def test_ingestion_feeds_the_pipeline_through_an_asset(dags: dict[str, Any]) -> None:
    outlets = [asset.name for asset in dags["commerce_ingestion"].get_task("load_days").outlets]
    conditions = [asset.name for asset in dags["tidemark_pipeline"].timetable.asset_condition.objects]
    assert outlets == conditions == ["ods/commerce"]


def test_ingestion_begins_on_the_day_that_the_stack_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMARK_COMMERCE_START", "2026-03-04")
    ingestion = DagBag(DAGS / "commerce_ingestion.py").dags["commerce_ingestion"]
    assert ingestion.start_date == datetime(2026, 3, 4, tzinfo=UTC)
    assert ingestion.catchup
    assert ingestion.max_active_runs == 1


def test_what_failed_is_told_in_the_language_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMARK_REPORT_LANGUAGE", "zh")
    for name in ("commerce_ingestion", "tidemark_pipeline"):
        dag = DagBag(DAGS / f"{name}.py").dags[name]
        assert dag.params["language"] == "zh"
        assert dag.get_task("steward").language == "{{ params.language }}"


@pytest.mark.parametrize(
    ("dag_id", "wrong"),
    [
        ("ask", {"question": ""}),
        ("ask", {"language": "fr"}),
        ("ask", {"domain": ""}),
        ("commerce_ingestion", {"start_day": "the third of May"}),
        ("commerce_ingestion", {"language": "fr"}),
        ("tidemark_pipeline", {"language": "fr"}),
    ],
)
def test_the_forms_refuse_bad_input(dags: dict[str, Any], dag_id: str, wrong: dict[str, str]) -> None:
    ((name, value),) = wrong.items()
    with pytest.raises(ParamValidationError):
        dags[dag_id].params.get_param(name).resolve(value)


def test_the_pages_say_of_each_dag_and_each_task_what_it_does(dags: dict[str, Any]) -> None:
    unsaid = [dag_id for dag_id, dag in dags.items() if not (dag.description and dag.doc_md)]
    unsaid += [task.label for dag in dags.values() for task in dag.tasks if len(task.doc_md or "") < 40]
    assert unsaid == []


def test_a_connected_project_has_a_dag_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(tmp_path))
    assert DagBag(DAGS / "connected_project.py").dags == {}
    (tmp_path / "project.json").write_text('{"name": "clinic"}')
    bag = DagBag(DAGS / "connected_project.py")
    assert bag.import_errors == {}
    dag = bag.dags["connected_project"]
    assert dag.get_task("answer_questions").upstream_task_ids == {"build"}
    assert "clinic" in dag.description
    # Nothing is built in somebody's warehouse before somebody switches it on.
    assert dag.is_paused_upon_creation
    assert all(task.connected for task in dag.tasks)
    assert not DagBag(DAGS / "tidemark_pipeline.py").dags["tidemark_pipeline"].get_task("ods").connected


def test_parsing_imports_nothing_heavy() -> None:
    script = (
        "import sys, runpy\n"
        f"[runpy.run_path(str(p)) for p in __import__('pathlib').Path({str(DAGS)!r}).glob('*.py')]\n"
        "heavy = {'dbt', 'great_expectations', 'langgraph', 'langchain_core', 'pyflink', 'chdb', 'pandas'}\n"
        "heavy |= {'warehouse', 'agents', 'streaming'}\n"
        "print(sorted(heavy & {name.split('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_a_dag_file_is_wiring() -> None:
    lengths = {path.name: len(path.read_text("utf-8").splitlines()) for path in DAGS.glob("*.py")}
    assert max(lengths.values()) < 60, lengths
