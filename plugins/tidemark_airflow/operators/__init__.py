"""The platform's steps as operators: each is given the settings, makes one call, returns a summary."""

from tidemark_airflow.operators.agents import (
    AnswerListOperator,
    AskOperator,
    ListReportOperator,
    OverviewOperator,
    WaitForTelemetrySensor,
)
from tidemark_airflow.operators.steward import (
    DecideOperator,
    MendOperator,
    ProposeOperator,
    StewardOperator,
)
from tidemark_airflow.operators.warehouse import DbtDocsOperator, DbtOperator, GateOperator, IngestOperator

__all__ = [
    "AnswerListOperator",
    "AskOperator",
    "DbtDocsOperator",
    "DbtOperator",
    "DecideOperator",
    "GateOperator",
    "IngestOperator",
    "ListReportOperator",
    "MendOperator",
    "OverviewOperator",
    "ProposeOperator",
    "StewardOperator",
    "WaitForTelemetrySensor",
]
