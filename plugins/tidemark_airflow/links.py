"""The link on a task that leads to the report it wrote."""

from __future__ import annotations

from airflow.sdk import BaseOperatorLink

REPORTS = "/tidemark/reports/"


class ReportLink(BaseOperatorLink):
    """Airflow asks for it in the task's own process, right after the task."""

    name = "Report"

    def get_link(self, operator: object, *, ti_key: object) -> str:
        return REPORTS + getattr(operator, "report_id", "")
