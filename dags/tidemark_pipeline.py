"""The full pass, hourly and whenever commerce arrives: layers and gates, answers, the agents' own runs.

`ods → gate → dwd → gate → dws → gate → ads → gate` builds and checks both domains. Then the analyst answers
the list of questions, and once its own spans have come back through Kafka, Flink and the loader, it answers
questions about its own runs.
"""

from airflow.sdk import DAG, AssetOrTimeSchedule, CronTriggerTimetable
from airflow.sdk.bases.operator import chain

from tidemark_airflow.operators import (
    AnswerListOperator,
    DbtDocsOperator,
    DbtOperator,
    GateOperator,
    OverviewOperator,
    WaitForTelemetrySensor,
)
from tidemark_airflow.scheduling import ODS_COMMERCE, RETRIES

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
):
    answers = AnswerListOperator(task_id="answer_questions", questions="sales")
    gate_ads = GateOperator(task_id="gate_ads", layer="ads")
    chain(
        DbtOperator(task_id="ods", select="path:models/ods"),
        GateOperator(task_id="gate_ods", layer="ods"),
        DbtOperator(task_id="dwd", select="path:models/dwd"),
        GateOperator(task_id="gate_dwd", layer="dwd"),
        DbtOperator(task_id="dws", select="path:models/dws"),
        GateOperator(task_id="gate_dws", layer="dws"),
        DbtOperator(task_id="ads", select="path:models/ads"),
        gate_ads,
        answers,
        OverviewOperator(task_id="report", questions="sales", answers=answers.output),
        WaitForTelemetrySensor(task_id="wait_for_telemetry", answers=answers.output),
        DbtOperator(task_id="refresh_agents", select="tag:agents"),
        AnswerListOperator(task_id="answer_about_runs", questions="self"),
    )
    gate_ads >> DbtDocsOperator(task_id="dbt_docs")
