"""What the steward proposes after a failure: a person decides, then it is done and checked again.

The steward starts a run for each proposal. Reloaded days are an event of the asset, so that the pipeline runs
again by itself.
"""

from airflow.sdk import DAG

from tidemark_airflow.operators import DecideOperator, MendOperator
from tidemark_airflow.scheduling import ODS_COMMERCE, RETRIES

with DAG(
    dag_id="mend",
    description="A person decides about the steward's proposal; then it is done and checked",
    doc_md=__doc__,
    schedule=None,
    # What the steward starts must not wait for somebody to switch it on.
    is_paused_upon_creation=False,
    catchup=False,
    default_args=RETRIES,
    tags=["commerce", "agents"],
):
    decide = DecideOperator(task_id="decide")
    MendOperator(
        task_id="mend",
        decision=decide.output,
        # Two failures of one day are mended one after the other: the second finds what is left.
        max_active_tis_per_dag=1,
        outlets=[ODS_COMMERCE],
    )
