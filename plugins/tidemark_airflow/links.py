"""The link on a task that leads to the report it wrote."""

from __future__ import annotations

from urllib.parse import quote

from airflow.sdk import BaseOperatorLink

REPORTS = "/tidemark/reports/"


class ReportLink(BaseOperatorLink):
    """Airflow asks for it in the task's own process, right after the task."""

    name = "Report"

    def get_link(self, operator: object, *, ti_key: object) -> str:
        report = getattr(operator, "report_id", "")
        return report_url(report) if report else REPORTS


def report_url(report: str) -> str:
    """Where Airflow hosts a report, by its folder's name."""
    return f"{REPORTS}{quote(report)}/"
