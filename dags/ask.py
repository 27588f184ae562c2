"""Ask the analyst one question: trigger it with the form, then open the task's report link.

It is about the project that `tidemark connect` chose, else about the sample.
"""

from airflow.sdk import DAG, Param

from tidemark_airflow.operators import AskOperator
from tidemark_airflow.scheduling import RETRIES, connected_project

with DAG(
    dag_id="ask",
    description="One question to the analyst",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    default_args=RETRIES,
    tags=["agents"],
    params={
        "question": Param(
            # Of a project of one's own, nobody knows here what can be asked.
            **({} if connected_project() else {"default": "What was revenue by month this year?"}),
            type="string",
            minLength=1,
            maxLength=2000,
            title="Question",
        ),
        "language": Param("auto", enum=["auto", "en", "zh"], title="Language of the answer"),
        "domain": Param("auto", type="string", minLength=1, title="Domain: auto, or one of the project's"),
    },
):
    AskOperator(
        task_id="answer",
        question="{{ params.question }}",
        language="{{ params.language }}",
        domain="{{ params.domain }}",
        connected=True,
    )
