"""The week in one document, each Monday at six: sales and the agents' own work."""

from airflow.sdk import DAG, CronTriggerTimetable

from tidemark_airflow.operators import ListReportOperator
from tidemark_airflow.scheduling import RETRIES, commerce_start

with DAG(
    dag_id="weekly_report",
    description="The week's sales and agent runs as one document",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 6 * * 1", timezone="UTC"),
    start_date=commerce_start(),
    catchup=False,
    max_active_runs=1,
    default_args=RETRIES,
    tags=["commerce", "agents"],
):
    ListReportOperator(task_id="report", questions="weekly")
