"""The one agent loop: think, act, judge, again, until the score is high enough or the limit ends it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Generic, TypedDict, TypeVar

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.runtime import Runtime
from opentelemetry import trace
from opentelemetry.trace import TracerProvider

from agents.runtime import messages as said
from agents.runtime import tracing
from agents.runtime.errors import ToolError
from agents.runtime.events import Event, EventKind, EventSink
from agents.runtime.models import Models
from agents.runtime.stage import Outcome, Stage
from agents.runtime.tools import ToolRegistry
from agents.runtime.work import Work, call_key, digest

W = TypeVar("W", bound=Work)
CALLS_AT_ONCE = 16
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """What the stages of one run share: who runs, for whom, with which model, and who listens."""

    agent: str
    run_id: str
    models: Models
    on_event: EventSink | None = None
    checkpoints: BaseCheckpointSaver[str] | None = None
    tracer_provider: TracerProvider | None = None
    _faults: set[str] = field(default_factory=set)

    @property
    def spans(self) -> tracing.Spans:
        return tracing.Spans(self.agent, self.run_id, self.tracer_provider)

    def emit(
        self,
        kind: EventKind,
        stage: str = "",
        iteration: int | None = None,
        score: float | None = None,
        **detail: Any,
    ) -> None:
        """Hand an event to the caller's sink while the run goes on. A fault there costs the event alone, and
        is said once a run.
        """
        if self.on_event is None:
            return
        try:
            self.on_event(
                Event(
                    session_id=self.run_id,
                    trace_id=tracing.trace_id(trace.get_current_span()),
                    agent=self.agent,
                    stage=stage,
                    kind=kind,
                    iteration=iteration,
                    score=score,
                    detail=tracing.capped(detail),
                )
            )
        except Exception as error:
            if repr(error) not in self._faults:
                self._faults.add(repr(error))
                _log.warning("run %s: its sink loses events: %r", self.run_id, error)


class State(TypedDict):
    """What a stage knows after a step; plain data, so that any checkpointer can keep it.

    `work` and `best` are the stage's record as JSON; an empty `best` is `work` itself. `fallbacks` says why
    the rules answered, once a chat that they answered.
    """

    messages: Annotated[list[AnyMessage], add_messages]
    iteration: int
    work: str
    best: str
    score: float
    reasons: list[str]
    fallbacks: list[str]
    done: bool


@dataclass(frozen=True)
class _Context(Generic[W]):
    stage: Stage[W]
    run: Run
    _read: dict[str, W] = field(default_factory=dict)

    @cached_property
    def tools(self) -> ToolRegistry[W]:
        return ToolRegistry(self.stage.tools)

    def work(self, kept: str) -> W:
        """The record of a state; the newest is not read twice, for a large result takes long to read."""
        if kept not in self._read:
            work = type(self.stage.work).model_validate_json(kept)
            self._read.clear()
            self._read[kept] = work
        return self._read[kept]

    def kept(self, work: W) -> str:
        text = work.model_dump_json()
        self._read.clear()
        self._read[text] = work
        return text


def run_stage(stage: Stage[W], run: Run) -> Outcome[W]:
    """Run a stage to its threshold or its limit; what fails the task (not the model) is raised as it came.

    With checkpoints, each step is kept before the next begins: a stage that was stopped goes on with the
    step it was stopped in, and one that has ended is not run again.
    """
    graph = _GRAPH.compile(checkpointer=run.checkpoints)
    context = _Context(stage, run)
    thread = f"{stage.name}:{digest(stage.identity or stage.goal)}"
    # The limit of iterations ends a stage, so LangGraph's own limit of steps never has to.
    config: Any = {"configurable": {"thread_id": thread}, "recursion_limit": 1_000_000}
    kept = _kept(graph, config, context)
    if kept and kept["done"]:
        return _outcome(context, kept)
    with run.spans.stage(stage.name) as span:
        durability: Any = {"durability": "sync"} if run.checkpoints is not None else {}
        state: Any = None if kept else _start(context)
        final: Any = graph.invoke(state, config, context=context, **durability)
        outcome = _outcome(context, final)
        span.set_attributes({"tidemark.score": outcome.score, "tidemark.iterations": outcome.iterations})
        if outcome.fallback:
            span.set_attribute("tidemark.fallback", outcome.fallback)
    return outcome


def _kept(graph: Any, config: Any, context: _Context[W]) -> State | None:
    """The state that the run's checkpoints hold of this stage, if there is one that can be read."""
    run = context.run
    if run.checkpoints is None:
        return None
    try:
        state: Any = graph.get_state(config).values
        if "work" not in state:
            # Nothing was kept, or nothing but that the stage was asked for.
            return None
        for name in State.__annotations__:
            state[name]
        for text in filter(None, (state["work"], state["best"])):
            context.work(text)
    except (ValueError, TypeError, LookupError, NotImplementedError) as error:
        _log.warning(
            "run %s: the steps kept of stage %r cannot be read (%s: %s), it starts anew",
            run.run_id, context.stage.name, type(error).__name__, error,
        )  # fmt: skip
        run.checkpoints.delete_thread(config["configurable"]["thread_id"])
        return None
    return state


def _start(context: _Context[W]) -> State:
    stage = context.stage
    return State(
        messages=[SystemMessage(stage.system_prompt), HumanMessage(stage.goal)],
        iteration=0, work=context.kept(stage.work), best="", score=-1.0, reasons=[], fallbacks=[], done=False,
    )  # fmt: skip


def _think(state: State, runtime: Runtime[_Context[W]]) -> dict[str, Any]:
    context = runtime.context
    stage, run = context.stage, context.run
    iteration = state["iteration"] + 1
    work = context.work(state["work"])
    with run.spans.chat(stage.name, stage.step) as span:
        thought = asyncio.run(
            run.models.think(
                state["messages"], context.tools.schemas(), lambda: stage.policy(work),
                purpose=stage.name, failed=state["iteration"],
            )
        )  # fmt: skip
        if thought.cost_usd is not None:
            span.set_attribute("tidemark.cost_usd", thought.cost_usd)
        tracing.describe_chat(span, thought.model, state["messages"], thought.message)
        if thought.fallback:
            span.set_attribute("tidemark.fallback", thought.fallback)
        run.emit(
            "thought_generated", stage.name, iteration,
            model=thought.model, thought=said.text(thought.message), fallback=thought.fallback,
            calls=[call["name"] for call in said.calls(thought.message)],
        )  # fmt: skip
    return {
        "messages": [thought.message],
        "iteration": iteration,
        "fallbacks": [*state["fallbacks"], *filter(None, [thought.fallback])],
    }


def _act(state: State, runtime: Runtime[_Context[W]]) -> dict[str, Any]:
    """Run the next call that was asked for: each call is a step of its own, kept before the next begins."""
    context = runtime.context
    stage, run = context.stage, context.run
    asked = said.unanswered(state["messages"])
    if not asked:
        missing = "; ".join(state["reasons"] or ["all"])
        return {"messages": [HumanMessage(f"Call a tool. What is missing: {missing}")]}
    made = len(said.calls(said.newest(state["messages"]))) - len(asked)
    if made >= CALLS_AT_ONCE:
        refusal = f"not made: at most {CALLS_AT_ONCE} calls at once"
        return {"messages": [said.told(call, refusal, refused=True) for call in asked]}
    call = asked[0]
    name, given, work = str(call["name"]), call["args"], context.work(state["work"])
    arguments: Mapping[str, Any] = given if isinstance(given, dict) else {"unreadable": given}
    refusal, content = "", ""
    with run.spans.tool(stage.name, name, arguments) as span:
        try:
            if arguments is not given:
                raise ToolError(f"the arguments are not a JSON object: {str(given)[:200]!r}")
            result = context.tools.call(work, name, arguments)
            work = work.having(result.updates)
            content = result.shown()
        except ToolError as error:
            content = refusal = str(error)
            tracing.failed(span, error)
        span.set_attribute("gen_ai.tool.call.result", tracing.capped(content))
        run.emit(
            "tool_called", stage.name, state["iteration"],
            tool=name, status="error" if refusal else "ok", error=refusal,
        )  # fmt: skip
    update: dict[str, Any] = {"messages": [said.told(call, content, refused=bool(refusal))]}
    noted = _noted(work, call_key(name, arguments), refusal)
    if noted is not context.work(state["work"]):
        update |= {"work": context.kept(noted)}
        # The record that was the best so far is about to change: keep it as it was.
        if not state["best"] and state["score"] >= 0:
            update |= {"best": state["work"]}
    return update


def _noted(work: W, call: str, refusal: str) -> W:
    """The record with the call's refusal, or without one when the call went through."""
    if refusal:
        return work.having({"refused": {**work.refused, call: refusal}})
    if call in work.refused:
        return work.having({"refused": {key: why for key, why in work.refused.items() if key != call}})
    return work


def _judge(state: State, runtime: Runtime[_Context[W]]) -> dict[str, Any]:
    context = runtime.context
    stage, run = context.stage, context.run
    with run.spans.judge(stage.name) as span:
        score = stage.scorer(context.work(state["work"]))
        better = score.value > state["score"]
        done = score.final or score.value >= stage.threshold or state["iteration"] >= stage.max_iterations
        span.set_attributes({"tidemark.score": score.value, "tidemark.iteration": state["iteration"]})
        run.emit(
            "iteration_completed", stage.name, state["iteration"], score.value,
            reasons=list(score.reasons), done=done,
        )  # fmt: skip
    update: dict[str, Any] = {"done": done}
    if better or score.final:
        update |= {"best": "", "score": score.value, "reasons": list(score.reasons)}
    return update


def _outcome(context: _Context[W], state: Mapping[str, Any]) -> Outcome[W]:
    stage, fallbacks = context.stage, state["fallbacks"]
    return Outcome(
        stage=stage.name,
        work=context.work(state["best"] or state["work"]),
        score=max(0.0, state["score"]),
        reasons=tuple(state["reasons"]),
        iterations=state["iteration"],
        passed=state["score"] >= stage.threshold,
        fallback=f"rules for {len(fallbacks)} of {state['iteration']} chats: {fallbacks[-1]}"
        if fallbacks
        else "",
    )


def _build() -> StateGraph[State, _Context[Any]]:
    graph = StateGraph(State, context_schema=_Context)
    graph.add_node("think", _think)
    graph.add_node("act", _act)
    graph.add_node("judge", _judge)
    graph.add_edge(START, "think")
    graph.add_edge("think", "act")
    after_act: Callable[[State], str] = lambda s: "act" if said.unanswered(s["messages"]) else "judge"  # noqa: E731
    after_judge: Callable[[State], str] = lambda s: END if s["done"] else "think"  # noqa: E731
    graph.add_conditional_edges("act", after_act, ["act", "judge"])
    graph.add_conditional_edges("judge", after_judge, ["think", END])
    return graph


_GRAPH = _build()
