"""The platform's steps as operators: each reads its room's settings, makes one call, returns a summary."""

from tidemark_airflow.operators.agents import (
    AnswerListOperator,
    AskOperator,
    OverviewOperator,
    WaitForTelemetryOperator,
    WeeklyReportOperator,
)
from tidemark_airflow.operators.warehouse import DbtOperator, GateOperator, IngestOperator

__all__ = [
    "AnswerListOperator",
    "AskOperator",
    "DbtOperator",
    "GateOperator",
    "IngestOperator",
    "OverviewOperator",
    "WaitForTelemetryOperator",
    "WeeklyReportOperator",
]
