"""Load the commerce sample into ODS: by schedule one logical day a run, by params a range of days at once."""

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, CronDataIntervalTimetable, Param

from tidemark_airflow.operators import IngestOperator, ProposeOperator, StewardOperator
from tidemark_airflow.scheduling import ODS_COMMERCE, RETRIES, commerce_start, report_language

DAY = {"type": ["null", "string"], "format": "date"}

with DAG(
    dag_id="commerce_ingestion",
    description="Commerce sample to ODS, one logical day a run",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=commerce_start(),
    catchup=True,
    max_active_runs=1,
    default_args=RETRIES,
    tags=["commerce"],
    params={
        "language": report_language(),
        "start_day": Param(None, **DAY, description="First day of a backfill; empty: the run's own day"),
        "end_day": Param(None, **DAY, description="Last day of a backfill; empty: the first day"),
    },
):
    load = IngestOperator(
        task_id="load_days",
        start_day="{{ params.start_day or '' }}",
        end_day="{{ params.end_day or '' }}",
        outlets=[ODS_COMMERCE],
    )
    steward = StewardOperator(task_id="steward", language="{{ params.language }}")
    load >> steward >> ProposeOperator(task_id="propose", report=steward.output)
    load >> EmptyOperator(
        task_id="loaded",
        doc_md="What became of the load is what became of the run, whatever the steward found.",
    )
