"""The analyst's tasks, and the wait for what they said about themselves."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from inspect import getdoc
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator, PokeReturnValue
from airflow.sdk.definitions.context import Context

from tidemark_airflow.links import ReportLink, report_url
from tidemark_airflow.operators.base import TidemarkOperator, errors_told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agents.analyst import Answer
    from wiring.opened import SpanCount
    from wiring.settings import Settings
    from wiring.warehouse import Warehouse


class AskOperator(TidemarkOperator):
    """One question. A retried task resumes its run, for the run id is the task's own.

    Returns the answer's summary, see `summary`.
    """

    template_fields: Sequence[str] = ("question", "language", "domain")
    operator_extra_links = (ReportLink(),)

    def __init__(self, *, question: str, language: str = "auto", domain: str = "auto", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.question = question
        self.language = language
        self.domain = domain
        self.report_id = ""

    def perform(self, context: Context, settings: Settings) -> dict[str, Any]:
        from wiring.analyst import SpanCount, open_analyst

        spans = SpanCount()
        with open_analyst(settings, spans=spans) as analyst:
            answer = analyst.ask(
                self.question, language=self.language, domain=self.domain, run_id=run_id(context)
            )
        self.report_id = answer.run_id
        self.log.info("%s\n%s", answer.text, answer.sql)
        return summary(answer, spans)


class AnswerListOperator(TidemarkOperator):
    """Every question of a list (`agents/analyst/questions/<name>.yml`), one after another in one process: one
    session with a run each.

    One task, not one a question: to start a mapped task costs more than to answer. Returns the summaries in
    the list's order; the log has a line a question.
    """

    operator_extra_links = (ReportLink(),)

    def __init__(self, *, questions: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.questions = questions

    def perform(self, context: Context, settings: Settings) -> list[dict[str, Any]]:
        from agents.analyst import load_questions
        from wiring.analyst import SpanCount, open_analyst

        answers = []
        spans = SpanCount()
        session = run_id(context)
        with open_analyst(settings, spans=spans) as analyst:
            for number, question in enumerate(load_questions(self.questions), start=1):
                answer = analyst.ask(question, session_id=session, run_id=f"{session}-{number:02d}")
                self.log.info("%-9s %s\n     %s", answer.status, question, answer.text)
                answers.append(answer)
        return [summary(answer, spans) for answer in answers]


class OverviewOperator(TidemarkOperator):
    """One page over the answers of a list, in its sections. Returns `{"path", "report"}`."""

    template_fields: Sequence[str] = ("answers",)
    operator_extra_links = (ReportLink(),)

    def __init__(self, *, questions: str, answers: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.questions = questions
        self.answers = answers
        self.report_id = ""

    def perform(self, context: Context, settings: Settings) -> dict[str, Any]:
        from agents.analyst import Answer
        from agents.analyst.lists import overview
        from agents.analyst.questions import load_list

        reports = settings.agents.reports_dir
        files = iter(reports / answer["run_id"] / "answer.json" for answer in self.answers)
        listed = load_list(self.questions)
        chapters = [
            (
                section.title,
                [Answer.model_validate_json(next(files).read_text("utf-8")) for _ in section.questions],
            )
            for section in listed.sections
        ]
        path = overview(listed.title, chapters, run_id=run_id(context), reports=reports)
        self.report_id = path.parent.name
        return {"path": str(path), "report": report_url(self.report_id)}


class ListReportOperator(TidemarkOperator):
    """Every question of a list, asked and written into one document; without a list, the project's own.

    Returns `{"path", "report", "answers": [summary, ...]}`.
    """

    operator_extra_links = (ReportLink(),)
    report_id = ""

    def __init__(self, *, questions: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.questions = questions

    def perform(self, context: Context, settings: Settings) -> dict[str, Any]:
        from agents.analyst import list_report
        from agents.analyst.questions import load_list
        from wiring.analyst import SpanCount, open_analyst

        spans = SpanCount()
        reports = settings.agents.reports_dir
        with open_analyst(settings, spans=spans) as analyst:
            listed = load_list(self.questions) if self.questions else analyst.questions
            path, answers = list_report(analyst, listed, run_id=run_id(context), reports=reports)
        self.report_id = path.parent.name
        return {
            "path": str(path),
            "report": report_url(self.report_id),
            "answers": [summary(answer, spans) for answer in answers],
        }


class WaitForTelemetrySensor(BaseSensorOperator):
    """Wait until every span of these answers' runs is in ODS: through Kafka, the stream job and the loader.

    They are seconds behind, so a look lasts `held` seconds; what is later than that is not worth one of two
    task slots, and is looked for again after `poke_interval` seconds. After `patience` seconds it raises
    `TelemetryLateError`, which is retried; Airflow's own `timeout` of a sensor would not be. Returns
    `{"spans": n, "runs": n, "seconds": s}`.
    """

    template_fields: Sequence[str] = ("answers",)

    def __init__(self, *, answers: Any, held: float = 10.0, patience: float = 120.0, **kwargs: Any) -> None:
        ours = {
            "doc_md": getdoc(type(self)),
            "mode": "reschedule",
            # A look that begins before the scheduler has noted the end of the one before is taken for a task
            # that was lost, and fails; under load the scheduler was five seconds late.
            "poke_interval": 30.0,
        }
        super().__init__(**{**ours, **kwargs})
        self.answers = answers
        self.held = held
        self.patience = patience

    def poke(self, context: Context) -> PokeReturnValue:
        from wiring.settings import Settings
        from wiring.warehouse import open_warehouse

        expected = {trace: spans for answer in self.answers for trace, spans in answer["spans"].items()}
        looked = datetime.now(UTC)
        started = context["ti"].get_first_reschedule_date(context) or looked
        with errors_told(self), open_warehouse(Settings.read(), read_only=True) as warehouse:
            while True:
                found = spans_in_ods(warehouse, list(expected))
                late = {trace: n - found.get(trace, 0) for trace, n in expected.items()}
                late = {trace: n for trace, n in late.items() if n > 0}
                now = datetime.now(UTC)
                waited = (now - started).total_seconds()
                if not late:
                    break
                if waited > self.patience:
                    raise TelemetryLateError(sum(late.values()), sum(expected.values()), sorted(late), waited)
                if (now - looked).total_seconds() > self.held:
                    self.log.info("%d spans are still to come", sum(late.values()))
                    return PokeReturnValue(False)
                time.sleep(0.5)
        counted = {"spans": sum(expected.values()), "runs": len(expected), "seconds": round(waited, 1)}
        return PokeReturnValue(True, counted)


class TelemetryLateError(Exception):
    """The runs' own spans have not come back in time."""

    def __init__(self, missing: int, expected: int, traces: Sequence[str], waited: float) -> None:
        some = ", ".join(traces[:3]) + (", ..." if len(traces) > 3 else "")
        super().__init__(
            f"{missing} of {expected} spans are not in ods.agent_executions after {waited:.0f} s "
            f"(traces {some}). `tidemark status` says whether Kafka, the stream job and the loader are up; "
            "what was sent while Kafka was away waits in the spool."
        )


def spans_in_ods(warehouse: Warehouse, traces: list[str]) -> Mapping[str, int]:
    """How many spans of each trace ODS holds."""
    from sqlglot import exp

    spans = (
        exp.select("trace_id", "count(distinct span_id)")
        .from_("ods.agent_executions")
        .where(exp.column("trace_id").isin(*traces))
        .group_by("trace_id")
    )
    return dict(warehouse.query(spans).rows)


def run_id(context: Context) -> str:
    """The task's own id in one run of its DAG: the same on a retry, so that a run is resumed."""
    task = context["ti"]
    return f"{task.dag_id}-{task.task_id}-{context['dag_run'].run_id}"


def summary(answer: Answer, spans: SpanCount) -> dict[str, Any]:
    """What the next task and the command line need of an answer: small, and JSON.

    `question status checks text sql report run_id`, and `spans`: trace id to the number of spans it ended.
    """
    return {
        "question": answer.question,
        "status": answer.status,
        "checks": answer.checks,
        "text": answer.text,
        "sql": answer.sql,
        "run_id": answer.run_id,
        "report": report_url(answer.run_id),
        "spans": {answer.trace_id: spans.by_trace.get(answer.trace_id, 0)},
    }
