"""The full pass, hourly and whenever commerce arrives: layers and gates, answers, the agents' own runs.

`ods → gate → dwd → gate → dws → gate → ads → gate` builds and checks both domains. Then the analyst answers
the list of questions, and once its own spans have come back through Kafka, Flink and the loader, it answers
questions about its own runs. When a layer or a gate fails, the steward finds out why and proposes what to do.
"""

from airflow.sdk import DAG, AssetOrTimeSchedule, CronTriggerTimetable
from airflow.sdk.bases.operator import chain

from tidemark_airflow.operators import (
    AnswerListOperator,
    DbtDocsOperator,
    DbtOperator,
    GateOperator,
    OverviewOperator,
    ProposeOperator,
    StewardOperator,
    WaitForTelemetrySensor,
)
from tidemark_airflow.scheduling import CATCHING_UP, ODS_COMMERCE, RETRIES, report_language

with DAG(
    dag_id="tidemark_pipeline",
    description="ODS to ADS with gates, then answers, then answers about the agents' own runs",
    doc_md=__doc__,
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("0 * * * *", timezone="UTC"), assets=[ODS_COMMERCE]
    ),
    # No start date: the first hourly run is the next full hour, not one that is past already.
    catchup=False,
    max_active_runs=1,
    default_args=RETRIES,
    tags=["commerce", "agents"],
    params={"language": report_language()},
):
    answers = AnswerListOperator(task_id="answer_questions", questions="sales")
    built = [
        task
        for layer in ("ods", "dwd", "dws", "ads")
        for task in (
            DbtOperator(task_id=layer, select=f"path:models/{layer}"),
            GateOperator(task_id=f"gate_{layer}", layer=layer, **CATCHING_UP),
        )
    ]
    chain(
        *built,
        answers,
        OverviewOperator(task_id="report", questions="sales", answers=answers.output),
        WaitForTelemetrySensor(task_id="wait_for_telemetry", answers=answers.output),
        DbtOperator(task_id="refresh_agents", select="tag:agents"),
        AnswerListOperator(task_id="answer_about_runs", questions="self"),
    )
    built[-1] >> DbtDocsOperator(task_id="dbt_docs")
    steward = StewardOperator(task_id="steward", language="{{ params.language }}")
    built >> steward >> ProposeOperator(task_id="propose", report=steward.output)
