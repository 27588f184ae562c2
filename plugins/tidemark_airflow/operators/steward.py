"""What follows a failure: the steward's report, a person's decision, the act.

The report is made in the run that failed, which then ends as failed; the decision waits in a run of its own,
so that nothing else waits for it.
"""

from __future__ import annotations

from inspect import getdoc
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk.definitions.context import Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from tidemark_airflow.links import ReportLink, WhyLink, report_url
from tidemark_airflow.operators.base import TidemarkOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wiring.settings import Settings
    from wiring.steward import Report

FAILURE = "failure"
MEND = "mend"
# What a person can choose, as the page shows it in the report's language, and as the steward calls it.
CHOICES = {
    "en": {
        "Load the days again": "reload",
        "Put the rows aside": "quarantine",
        "Leave it as it is": "leave",
    },
    "zh": {"重新加载这些天": "reload", "隔离这些行": "quarantine", "保持原样": "leave"},
}
_CHOSEN = {shown: action for choices in CHOICES.values() for shown, action in choices.items()}


class ExaminedOperator(TidemarkOperator):
    """A task whose failure the steward examines; it leaves word of it, and a link to the report."""

    operator_extra_links = (WhyLink(),)
    why = ""

    def execute(self, context: Context) -> Any:
        try:
            return super().execute(context)
        except Exception as error:
            try:
                self.leave_word(context, error.__cause__ or error)
            except Exception as fault:
                # Why the task failed is more than that nobody could be told.
                self.log.warning("The steward is not told: %s: %s", type(fault).__name__, fault)
            raise

    def leave_word(self, context: Context, error: BaseException) -> None:
        from wiring.settings import Settings
        from wiring.steward import failure_of, report_of

        failure = failure_of(error, self.task_id, Settings.read())
        context["ti"].xcom_push(key=FAILURE, value=failure.model_dump(mode="json"))
        self.why = report_of(context["ti"].dag_id, context["ti"].run_id)


class StewardOperator(TidemarkOperator):
    """After examined tasks, when one has failed: why, as a report. No process is started when none has.

    Returns `{"title", "text", "status", "report", "report_id", "actions", "waiting", "case"}`; `actions` are
    those that a person may choose, each with what it would do.
    """

    operator_extra_links = (ReportLink(),)
    report_id = ""
    template_fields: Sequence[str] = ("language",)

    def __init__(self, *, language: str = "en", **kwargs: Any) -> None:
        super().__init__(trigger_rule="one_failed", **kwargs)
        self.language = language

    def perform(self, context: Context, settings: Settings) -> dict[str, Any]:
        from wiring.steward import Case, Failure, open_steward, report_of

        ti = context["ti"]
        noted = [ti.xcom_pull(task_ids=task, key=FAILURE) for task in sorted(self.upstream_task_ids)]
        failures = [Failure.model_validate(one) for one in noted if one]
        if not failures:
            raise AirflowSkipException("What failed before left no word of it: it was stopped, not refused.")
        case = Case.model_validate(
            {"failure": failures[0], "language": self.language, "asked_at": context["dag_run"].run_after}
        )
        run_id = report_of(ti.dag_id, ti.run_id)
        with open_steward(settings) as steward:
            report = steward.examine(case, run_id)
        self.report_id = report.run_id
        self.log.info("%s\n%s", report.status, report.text)
        return {**summary(report), "case": case.model_dump(mode="json")}


class ProposeOperator(TriggerDagRunOperator):
    """Ask a person in a run of the DAG `mend`, once for the same proposal, if there is one."""

    def __init__(self, *, report: Any, **kwargs: Any) -> None:
        super().__init__(
            trigger_dag_id=MEND, logical_date=None, skip_when_already_exists=True,
            openlineage_inject_parent_info=False, doc_md=getdoc(type(self)), **kwargs,
        )  # fmt: skip
        self.report = report

    template_fields: Sequence[str] = (*TriggerDagRunOperator.template_fields, "report")

    def execute(self, context: Context) -> None:
        if not self.report["actions"]:
            raise AirflowSkipException("Nothing is proposed that could be done from here.")
        self.conf = self.report
        # The next hour's run finds the same fault: it is not asked about again.
        self.trigger_run_id = f"steward__{self.report['waiting']}"
        super().execute(context)


class DecideOperator(HITLOperator):
    """Shows the run's proposal to a person and waits, without a process, until it is answered."""

    operator_extra_links = (ReportLink(),)
    report_id = ""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            subject="What is to be done?", options=list(CHOICES["en"]), doc_md=getdoc(type(self)), **kwargs
        )

    def execute(self, context: Context) -> None:
        asked = context["dag_run"].conf or {}
        if "case" not in asked:
            raise AirflowFailException("This DAG is started by the steward, with its proposal.")
        self.report_id = asked["report_id"]
        self.subject = asked["title"]
        choices, actions = CHOICES[asked["case"]["language"]], asked["actions"]
        self.options = [shown for shown, action in choices.items() if action in (*actions, "leave")]
        # Of how many days and which rows it is must be known before it is chosen.
        would = [
            f"- **{shown}**: {actions[action]}" for shown, action in choices.items() if action in actions
        ]
        self.body = "\n\n".join([asked["text"], "\n".join(would), f"[Report]({asked['report']})"])
        super().execute(context)


class MendOperator(TidemarkOperator):
    """Do what was decided, and make the failed check again. Fails when it still fails, so that a person sees.

    Returns as `StewardOperator`, with `"done"`: what was done, a line an act, and `"void"`: what was not, for
    it was about nothing any more.
    """

    operator_extra_links = (ReportLink(),)
    report_id = ""
    template_fields: Sequence[str] = ("decision",)

    def __init__(self, *, decision: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.decision = decision

    def perform(self, context: Context, settings: Settings) -> dict[str, Any]:
        from datetime import datetime

        from wiring.steward import Case, open_steward

        asked, decision = context["dag_run"].conf or {}, self.decision
        choice: Any = _CHOSEN[decision["chosen_options"][0]]
        user = decision.get("responded_by_user") or {}
        at = decision["responded_at"]
        with open_steward(settings) as steward:
            report = steward.decide(
                Case.model_validate(asked["case"]), asked["report_id"], choice,
                by=user.get("name") or user.get("id") or "somebody",
                at=at if isinstance(at, datetime) else datetime.fromisoformat(at), seen=asked["waiting"],
            )  # fmt: skip
        self.report_id = report.run_id
        decided = report.decided
        assert decided is not None, "a decision that is taken is in the report"
        for line in (*decided.done, *decided.void):
            self.log.info("%s", line)
        if choice == "leave":
            raise AirflowSkipException(f"{decided.by} left it as it is.")
        if decided.not_made:
            raise AirflowFailException(f"Not all could be done: {'; '.join(decided.not_made)}")
        if decided.unchecked:
            raise AirflowFailException(f"The check could not be made again: {decided.unchecked}")
        if decided.holds is False:
            raise AirflowFailException(f"The check still fails: {'; '.join(decided.still_failing)}")
        return {**summary(report), "done": decided.done, "void": decided.void}


def summary(report: Report) -> dict[str, Any]:
    return {
        "title": report.question,
        "text": report.text,
        "status": report.status,
        "report": report_url(report.run_id),
        "report_id": report.run_id,
        "actions": {
            proposal.action: proposal.text for proposal in report.proposals if proposal.action != "widen"
        },
        "waiting": report.waiting,
    }
