"""The one agent loop: think, act, judge, again, until the score is high enough or the limit ends it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.runtime import Runtime
from opentelemetry import trace
from opentelemetry.trace import TracerProvider

from agents.runtime import tracing
from agents.runtime.errors import ToolError
from agents.runtime.events import Event, EventKind, EventSink
from agents.runtime.models import ModelChoice
from agents.runtime.stage import Outcome, Stage
from agents.runtime.tools import ToolRegistry


@dataclass(frozen=True)
class Run:
    """What the stages of one run share: who runs, for whom, with which model, and who listens."""

    agent: str
    run_id: str
    models: ModelChoice
    on_event: EventSink | None = None
    checkpoints: BaseCheckpointSaver[str] | None = None
    tracer_provider: TracerProvider | None = None

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
        """Hand an event to the caller's sink while the run goes on."""
        if self.on_event is None:
            return
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


class State(TypedDict):
    """What a stage knows after a step; plain data, so that any checkpointer can keep it."""

    messages: Annotated[list[AnyMessage], add_messages]
    iteration: int
    work: dict[str, Any]
    best: dict[str, Any]
    score: float
    reasons: list[str]
    fallback: str
    done: bool


@dataclass(frozen=True)
class _Context:
    stage: Stage
    tools: ToolRegistry
    run: Run


def run_stage(stage: Stage, run: Run) -> Outcome:
    """Run a stage to its threshold or its limit; what fails the task (not the model) is raised as it came.

    With checkpoints, a stage that was stopped goes on with its next step, and one that has passed is not
    run again. One that ended below its threshold starts anew: a retry is meant to change that.
    """
    graph = _GRAPH.compile(checkpointer=run.checkpoints)
    thread = f"{stage.name}:{sha256(stage.goal.encode()).hexdigest()[:16]}"
    config: Any = {
        "configurable": {"thread_id": thread},
        "recursion_limit": 3 * stage.max_iterations + 5,
    }
    state: Any = _start(stage)
    if run.checkpoints is not None:
        kept = graph.get_state(config)
        if kept.next:
            state = None
        elif kept.values and kept.values["score"] >= stage.threshold:
            return _outcome(stage, kept.values)
        elif kept.values:
            run.checkpoints.delete_thread(thread)
    context = _Context(stage, ToolRegistry(stage.tools), run)
    with run.spans.stage(stage.name) as span:
        durability: Any = {"durability": "async"} if run.checkpoints is not None else {}
        final: Any = graph.invoke(state, config, context=context, **durability)
        outcome = _outcome(stage, final)
        span.set_attributes({"tidemark.score": outcome.score, "tidemark.iterations": outcome.iterations})
        if outcome.fallback:
            span.set_attribute("tidemark.fallback", outcome.fallback)
    return outcome


def _start(stage: Stage) -> State:
    return State(
        messages=[SystemMessage(stage.system_prompt), HumanMessage(stage.goal)],
        iteration=0, work={}, best={}, score=-1.0, reasons=[], fallback="", done=False,
    )  # fmt: skip


def _think(state: State, runtime: Runtime[_Context]) -> dict[str, Any]:
    stage, run, tools = runtime.context.stage, runtime.context.run, runtime.context.tools
    iteration = state["iteration"] + 1
    with run.spans.chat(stage.name, stage.step) as span:
        thought = run.models.think(state["messages"], tools.schemas(), stage.policy)
        tracing.describe_chat(span, thought.model, state["messages"], thought.message)
        if thought.fallback:
            span.set_attribute("tidemark.fallback", thought.fallback)
        run.emit(
            "thought_generated", stage.name, iteration,
            model=thought.model, thought=_text(thought.message), fallback=thought.fallback,
            calls=[call["name"] for call in thought.message.tool_calls],
        )  # fmt: skip
    return {
        "messages": [thought.message],
        "iteration": iteration,
        "fallback": thought.fallback or state["fallback"],
    }


def _act(state: State, runtime: Runtime[_Context]) -> dict[str, Any]:
    stage, run, tools = runtime.context.stage, runtime.context.run, runtime.context.tools
    asked = state["messages"][-1]
    if not isinstance(asked, AIMessage):
        raise TypeError(f"stage {stage.name}: the message before tools run is a {asked.type} message")
    answers: list[AnyMessage] = [
        _tool_message(str(call["id"]), call["name"], f"arguments are not JSON: {call['error']}", "error")
        for call in asked.invalid_tool_calls
    ]
    work = dict(state["work"])
    for call in asked.tool_calls:
        status, content = "ok", ""
        with run.spans.tool(stage.name, call["name"], call["args"]) as span:
            try:
                result = tools.call(call["name"], call["args"])
                work.update(result.work)
                content = result.text()
            except ToolError as error:
                status, content = "error", str(error)
                tracing.failed(span, error)
            span.set_attribute("gen_ai.tool.call.result", tracing.capped(content))
            run.emit(
                "tool_called", stage.name, state["iteration"],
                tool=call["name"], status=status, error=content if status == "error" else "",
            )  # fmt: skip
        answers.append(_tool_message(str(call["id"]), call["name"], content, status))
    if not answers:
        answers.append(
            HumanMessage("Call a tool. What is missing: " + "; ".join(state["reasons"] or ["all"]))
        )
    return {"messages": answers, "work": work}


def _judge(state: State, runtime: Runtime[_Context]) -> dict[str, Any]:
    stage, run = runtime.context.stage, runtime.context.run
    with run.spans.judge(stage.name) as span:
        score = stage.scorer(state["work"])
        better = score.value > state["score"]
        done = score.final or score.value >= stage.threshold or state["iteration"] >= stage.max_iterations
        span.set_attributes({"tidemark.score": score.value, "tidemark.iteration": state["iteration"]})
        run.emit(
            "iteration_completed", stage.name, state["iteration"], score.value,
            reasons=list(score.reasons), done=done,
        )  # fmt: skip
    update: dict[str, Any] = {"done": done}
    if better or score.final:
        update |= {"best": dict(state["work"]), "score": score.value, "reasons": list(score.reasons)}
    return update


def _outcome(stage: Stage, state: Mapping[str, Any]) -> Outcome:
    return Outcome(
        stage=stage.name,
        work=state["best"],
        score=max(0.0, state["score"]),
        reasons=tuple(state["reasons"]),
        iterations=state["iteration"],
        passed=state["score"] >= stage.threshold,
        fallback=state["fallback"],
    )


def _tool_message(call_id: str, tool: str | None, content: str, status: str) -> ToolMessage:
    return ToolMessage(
        content, tool_call_id=call_id, name=tool, status="error" if status == "error" else "success"
    )


def _text(message: AIMessage) -> str:
    return message.content if isinstance(message.content, str) else json.dumps(message.content)


def _build() -> StateGraph[State, _Context]:
    graph = StateGraph(State, context_schema=_Context)
    graph.add_node("think", _think)
    graph.add_node("act", _act)
    graph.add_node("judge", _judge)
    graph.add_edge(START, "think")
    graph.add_edge("think", "act")
    graph.add_edge("act", "judge")
    after: Callable[[State], str] = lambda state: END if state["done"] else "think"  # noqa: E731
    graph.add_conditional_edges("judge", after, ["think", END])
    return graph


_GRAPH = _build()
