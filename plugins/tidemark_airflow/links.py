"""The links on a task: to the report it wrote, and to the one on why it failed."""

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


class WhyLink(BaseOperatorLink):
    """To the steward's report, once it is written; none on a task that did not fail."""

    name = "Why it failed"

    def get_link(self, operator: object, *, ti_key: object) -> str:
        why = getattr(operator, "why", "")
        return report_url(why) if why else ""


def report_url(report: str) -> str:
    """Where Airflow hosts a report, by its folder's name."""
    return f"{REPORTS}{quote(report)}/"
