"""One's own dbt project: `dbt build`, then its questions as one report.

It is there once `tidemark connect` has chosen a project, and paused until somebody switches it on: a build
writes to the project's warehouse. The questions are those of the project's `tidemark.yml`, else its saved
queries and metrics.
"""

from airflow.sdk import DAG, CronTriggerTimetable

from tidemark_airflow.operators import DbtDocsOperator, DbtOperator, ListReportOperator
from tidemark_airflow.scheduling import RETRIES, connected_project

if project := connected_project():
    with DAG(
        dag_id="connected_project",
        dag_display_name=f"connected_project: {project}",
        description=f"dbt build of {project}, then its questions",
        doc_md=__doc__,
        schedule=CronTriggerTimetable("0 5 * * *", timezone="UTC"),
        is_paused_upon_creation=True,
        catchup=False,
        max_active_runs=1,
        default_args={**RETRIES, "connected": True},
        tags=["project"],
    ):
        build = DbtOperator(task_id="build")
        build >> ListReportOperator(task_id="answer_questions")
        build >> DbtDocsOperator(task_id="dbt_docs")
