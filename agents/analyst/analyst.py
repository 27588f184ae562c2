"""The analyst's public face: a question in, an answer with its report out."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from langchain_core.language_models import BaseChatModel
from opentelemetry.trace import Span, TracerProvider
from pydantic import ValidationError

from agents.analyst import charts, report, sql_stage
from agents.analyst.answer import CHECKS, Answer, AnswerColumn
from agents.analyst.grammar.text import fold, number
from agents.analyst.grammar.text import language as script
from agents.analyst.grammar.when import Calendar
from agents.analyst.graph import ANALYST, CHART, DOCUMENT, SQL, result
from agents.analyst.intent import Intent
from agents.analyst.questions import QuestionList, project_list
from agents.analyst.rendering import LIMIT_S
from agents.analyst.saying.table import Table
from agents.analyst.sql_tools import Sources
from agents.analyst.sql_work import Asked
from agents.runtime import tracing
from agents.runtime.budget import Budget
from agents.runtime.door import run_sync
from agents.runtime.errors import PermanentError
from agents.runtime.events import EventSink, EventStream
from agents.runtime.graph import run_agent
from agents.runtime.history import Turn, Turns
from agents.runtime.messages import plain
from agents.runtime.models import Models
from agents.runtime.run import Run, Session
from agents.runtime.settings import AgentSettings
from agents.runtime.stage import Outcome
from agents.runtime.steps import file_name, open_steps
from warehouse import Catalogue, Warehouse
from warehouse.semantic import SemanticLayer

# What the report may take when the budget's seconds are used up, and each picture in it.
_REPORT_S = 15.0
_PICTURE_S = 4.0
# How many rows of an answer its conversation remembers.
_FIGURES = 20


class Analyst:
    """Answers questions over one warehouse, which should be opened as the read-only user."""

    def __init__(
        self,
        warehouse: Warehouse,
        semantic: SemanticLayer,
        catalogue: Catalogue,
        settings: AgentSettings,
        model: BaseChatModel | None = None,
        on_event: EventSink | None = None,
        tracer_provider: TracerProvider | None = None,
    ) -> None:
        """`model` goes before TIDEMARK_MODEL; without a tracer provider the process's own is used."""
        self._sources = Sources(warehouse, semantic, catalogue, settings.agent_max_rows)
        self._settings = settings
        self._models = Models(settings, model)
        self._turns = Turns(settings.sessions_dir)
        self._sinks = () if on_event is None else (on_event,)
        self._tracer_provider = tracer_provider

    @property
    def questions(self) -> QuestionList:
        """What its project asks by itself, on a schedule."""
        return project_list(self._sources.semantic)

    def run(
        self, *, session_id: str | None = None, run_id: str | None = None, budget: Budget | None = None
    ) -> Run:
        """One task to come, in a conversation or in one of its own: to follow, to cancel, to `answer` in."""
        identity = file_name(run_id) if run_id else uuid4().hex
        return Run(
            agent=ANALYST.name,
            session=Session(session_id or identity),
            run_id=identity,
            models=self._models,
            deps=self._sources,
            budget=budget or self._settings.budget,
            stream=EventStream(*self._sinks),
            tracer_provider=self._tracer_provider,
        )

    def ask(
        self,
        question: str,
        *,
        language: str = "auto",
        domain: str = "auto",
        reading: int = 0,
        session_id: str | None = None,
        run_id: str | None = None,
        budget: Budget | None = None,
        now: datetime | None = None,
    ) -> Answer:
        """`answer` for a caller that cannot await, such as a task; with a `run_id` its steps are kept.

        Raises OverdueError when the budget's seconds are over and something does not let the run end.
        """
        run = self.run(session_id=session_id, run_id=run_id, budget=budget)
        kept = run_id is not None
        return run_sync(
            self.answer(question, run, language=language, domain=domain, reading=reading, now=now, kept=kept),
            run.ends_within(_REPORT_S),
        )

    async def answer(
        self,
        question: str,
        run: Run,
        *,
        language: str = "auto",
        domain: str = "auto",
        reading: int = 0,
        now: datetime | None = None,
        kept: bool = True,
    ) -> Answer:
        """Answer, ask back, decline or fail, and write the report folder `reports/<run id>/`.

        `reading` is which of the meanings is meant that the question was asked back with, from 1; in a
        conversation its number alone says so too. A question of a conversation may be a few words that change
        the one before it.
        If its steps are `kept`, asking the same again with the same run id goes on where the run stopped, and
        gives the same answer when it had one. What another question left under that id, or a run that ended
        without an answer, is dropped.
        Raises TransientError when the warehouse is away or another process is at this run, PermanentError
        when a setting cannot work, RunCancelledError when who follows the run ended it.
        """
        known = self._sources.semantic.domains
        if domain not in ("auto", *known):
            raise PermanentError(
                f"There is no domain {domain!r}: the project has {', '.join(known) or 'none'}. "
                "Leave it out, and all of them are looked through."
            )
        started = time.perf_counter()
        now = now or datetime.now(UTC)
        question = plain(question)
        earlier = self._turns.of(run.session.id)
        run = replace(run, turns=tuple(turn for turn in earlier if turn.run_id != run.run_id))
        question, reading = (question, reading) if reading else _chosen(question, run.turns)
        spoken = language if language in ("en", "zh") else script(question) or "en"
        with open_steps(self._settings.steps_dir, run.run_id) if kept else nullcontext(None) as steps:
            if steps is not None:
                now = steps.begin(json.dumps([question, spoken, domain, reading], ensure_ascii=False), now)
                run = replace(run, checkpoints=steps.checkpoints)
            with run.spans.run(question) as span:
                answer = Answer(
                    run_id=run.run_id,
                    session_id=run.session.id,
                    trace_id=tracing.trace_id(span),
                    question=question,
                    language=spoken,
                    domain=domain,
                    status="failed",
                    text="",
                    model=self._models.name,
                    asked_at=now,
                )
                asked = Asked(
                    question=question,
                    language=spoken,
                    domain=domain,
                    calendar=Calendar(now, self._settings.week_start),
                    previous=_previous(run.turns),
                    reading=reading,
                    free_sql=self._settings.free_sql,
                )
                async with run.scope():
                    await self._answered(answer, run, asked, started)
                    _describe(span, answer)
                    run.emit(
                        "execution_completed",
                        status=answer.status,
                        text=answer.text,
                        reasons=answer.reasons,
                        report=answer.report_path,
                        over=answer.over,
                    )
                self._turns.add(run.session.id, _turn(answer))
                if steps is not None:
                    steps.end(answer.status)
        return answer

    def answer_list(
        self, questions: Sequence[str], *, session_id: str | None = None, run_id: str | None = None
    ) -> list[Answer]:
        """Answer each question of one session; with a run id, question 3 of it is run `<run id>-03`."""
        conversation = session_id or (file_name(run_id) if run_id else uuid4().hex)
        return [
            self.ask(question, session_id=conversation, run_id=f"{run_id}-{number:02d}" if run_id else None)
            for number, question in enumerate(questions, start=1)
        ]

    async def _answered(self, answer: Answer, run: Run, asked: Asked, started: float) -> None:
        """Fill the answer and write its report."""
        table, svg = await self._fill(answer, run, asked)
        answer.spent = run.spent
        written = time.perf_counter()
        left = run.left_s
        limit_s = LIMIT_S if left is None else min(LIMIT_S, max(_PICTURE_S, left / 2))
        folder = await run.threaded(
            lambda: report.write(answer, table, svg, self._settings.reports_dir, limit_s)
        )
        answer.report_path = str(folder)
        answer.timings |= {
            "report": round(time.perf_counter() - written, 3),
            "total": round(time.perf_counter() - started, 3),
        }

    async def _fill(self, answer: Answer, run: Run, asked: Asked) -> tuple[Table, str]:
        """Run the graph; returns the result table and the chart's picture as SVG."""
        nothing = Table((), ())
        done = await run_agent(ANALYST, asked, run)
        outcomes: tuple[Outcome[Any] | None, ...] = (done.get(SQL), done.get(CHART), done.get(DOCUMENT))
        for outcome in filter(None, outcomes):
            _note(answer, outcome)
        found = done[SQL].work
        if found.declined:
            answer.status = "failed" if found.declined.failed else "declined"
            answer.suggestions = list(found.declined.suggestions)
            answer.text = _declined_text(answer, found.declined.reason)
            return nothing, ""
        if found.unclear:
            answer.status, answer.readings = "unclear", list(found.unclear)
            answer.text = _unclear_text(answer)
            return nothing, ""
        answer.sql, answer.meaning = found.sql, found.meaning
        answer.checks["proven"] = sql_stage.proven(found)
        if found.checked:
            answer.estimated_bytes = found.checked.estimated_bytes
            answer.estimated_usd = found.checked.estimated_usd
        if not done[SQL].passed:
            answer.text = _failed_text(answer)
            return nothing, ""
        table = result(done)
        answer.notes = found.notes(self._sources.names)
        answer.columns = [
            AnswerColumn(name=c.name, label=c.label, role=c.role, unit=c.unit, grain=c.grain, values=c.values)
            for c in table.columns
        ]
        answer.rows = [list(row) for row in table.rows]
        answer.extent = table.extent
        drawn, told = done[CHART].work, done[DOCUMENT].work
        answer.chart = charts.bind(drawn.spec, table) if drawn.spec else None
        answer.evidence = list(told.evidence)
        answer.text = told.text
        answer.status = "answered" if done[DOCUMENT].passed else "failed"
        answer.text = answer.text or _failed_text(answer)
        return table, drawn.svg


def _note(answer: Answer, outcome: Outcome[Any]) -> None:
    """What a stage came to, in the answer's record."""
    answer.timings[outcome.stage] = round(outcome.spent.seconds, 3)
    answer.checks[CHECKS[outcome.stage]] = outcome.passed
    answer.reasons += [f"{outcome.stage}: {reason}" for reason in outcome.reasons]
    answer.over = answer.over or outcome.over
    if outcome.fallback:
        answer.fallback += f"{'; ' if answer.fallback else ''}{outcome.stage}: {outcome.fallback}"


def _turn(answer: Answer) -> Turn:
    """What a later question of the conversation may refer to."""
    return Turn(
        run_id=answer.run_id,
        asked_at=answer.asked_at,
        question=answer.question,
        answer=answer.text,
        figures=tuple(" ".join(answer.shown(row)) for row in answer.rows[:_FIGURES]),
        sql=answer.sql,
        names=tuple(column.label for column in answer.columns),
        decisions=(answer.meaning.sentence,) if answer.meaning else (),
        meaning=answer.meaning.intent.model_dump(mode="json") if answer.meaning else {},
        choices=len(answer.readings) if answer.status == "unclear" else 0,
    )


def _chosen(question: str, turns: Sequence[Turn]) -> tuple[str, int]:
    """The question before and which of its meanings is meant, where nothing but a number of them is said."""
    last = turns[-1] if turns else None
    chosen = number(fold(question).strip(" .。第个")) if last and last.choices else None
    return (last.question, chosen) if last and chosen and 1 <= chosen <= last.choices else (question, 0)


def _previous(turns: Sequence[Turn]) -> Intent | None:
    """What was last asked and understood in a conversation."""
    for turn in reversed(turns):
        if turn.meaning:
            try:
                return Intent.model_validate(turn.meaning)
            except ValidationError:
                # An intent of another release: it is as if it had not been understood.
                return None
    return None


def _describe(span: Span, answer: Answer) -> None:
    message = [{"role": "assistant", "parts": [{"type": "text", "content": answer.text}]}]
    span.set_attributes(
        {
            "gen_ai.output.messages": tracing.capped(message),
            "tidemark.status": answer.status,
            **{f"tidemark.spent.{name}": used for name, used in answer.spent.model_dump().items()},
        }
    )
    if answer.over:
        span.set_attribute("tidemark.over", answer.over)


def _declined_text(answer: Answer, reason: str) -> str:
    lines = [reason]
    if answer.suggestions:
        lines.append("可以改问：" if answer.language == "zh" else "What can be asked instead:")
        lines += [f"- {one}" for one in answer.suggestions]
    return "\n".join(lines)


def _unclear_text(answer: Answer) -> str:
    zh = answer.language == "zh"
    if len(answer.readings) == 1:
        lines = ["是这个意思吗？如果是，请选择 1：" if zh else "Is this meant? If so, choose 1:"]
    else:
        lines = [
            "这个问题可能有以下含义，请选择一个：" if zh else "This may be meant; choose one by its number:"
        ]
    lines += [f"{number}. {one.sentence}" for number, one in enumerate(answer.readings, start=1)]
    return "\n".join(lines)


def _failed_text(answer: Answer) -> str:
    reasons = "; ".join(answer.reasons) or ", ".join(
        check for check, held in answer.checks.items() if not held
    )
    if answer.language == "zh":
        return f"没有得到合格的结果：{reasons}"
    return f"No acceptable result was reached: {reasons}"
