"""The one agent loop: think, act, judge, again, until the score is high enough or a limit ends it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.runnables.config import var_child_runnable_config
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from agents.runtime import messages as said
from agents.runtime import tracing
from agents.runtime.acting import act
from agents.runtime.budget import Spent
from agents.runtime.history import compressed
from agents.runtime.rules import Move
from agents.runtime.run import Run
from agents.runtime.stage import Outcome, Stage
from agents.runtime.state import Context, State
from agents.runtime.work import Work, digest

W = TypeVar("W", bound=Work)
_log = logging.getLogger(__name__)


async def run_stage(stage: Stage[W], run: Run) -> Outcome[W]:
    """Run a stage to its threshold, its limit or its budget; what fails the task (not the model) is raised
    as it came.

    With checkpoints, each step and each tool call is kept when it has ended: a stage that was stopped goes on
    with what had not, and one that has ended is not run again.
    """
    async with run.scope():
        # A graph of its own wherever it is called from, not a part of its caller's.
        outer = var_child_runnable_config.set(None)
        try:
            return await _run(stage, run)
        finally:
            var_child_runnable_config.reset(outer)


async def _run(stage: Stage[W], run: Run) -> Outcome[W]:
    # Compiled once: to compile looks into every function, which takes longer than a step.
    graph = _GRAPH.copy({"checkpointer": run.checkpoints})
    context = Context(stage, run, run.clock())
    thread = f"{run.place}{stage.name}:{digest(stage.identity or stage.goal)}"
    # The limit of iterations ends a stage, so LangGraph's own limit of steps never has to.
    config: Any = {"configurable": {"thread_id": thread}, "recursion_limit": 1_000_000}
    kept = await _kept(graph, config, context)
    if kept:
        run.spend(Spent.model_validate_json(kept["spent"]))
        if kept["done"]:
            return _outcome(context, kept)
    with run.spans.stage(stage.name) as span:
        durability: Any = {"durability": "sync"} if run.checkpoints is not None else {}
        state: Any = None if kept else _start(context)
        final: Any = await graph.ainvoke(state, config, context=context, **durability)
        outcome = _outcome(context, final)
        span.set_attributes(
            {
                "tidemark.score": outcome.score,
                "tidemark.iterations": outcome.iterations,
                **{f"tidemark.spent.{name}": used for name, used in outcome.spent.model_dump().items()},
            }
        )
        for name, why in (("fallback", outcome.fallback), ("over", outcome.over)):
            if why:
                span.set_attribute(f"tidemark.{name}", why)
    return outcome


async def _kept(graph: Any, config: Any, context: Context[W]) -> State | None:
    """The state that the run's checkpoints hold of this stage, if there is one that can be read."""
    run = context.run
    if run.checkpoints is None:
        return None
    try:
        state: Any = (await graph.aget_state(config)).values
        if "work" not in state:
            # Nothing was kept, or nothing but that the stage was asked for.
            return None
        for name in State.__annotations__:
            state[name]
        for text in filter(None, (state["work"], state["best"])):
            context.work(text)
        Spent.model_validate_json(state["spent"])
    except (ValueError, TypeError, LookupError, NotImplementedError) as error:
        _log.warning(
            "run %s: the steps kept of stage %r cannot be read (%s: %s), it starts anew",
            run.run_id, context.stage.name, type(error).__name__, error,
        )  # fmt: skip
        await run.checkpoints.adelete_thread(config["configurable"]["thread_id"])
        return None
    return state


def _start(context: Context[W]) -> State:
    stage = context.stage
    earlier = compressed(context.run.turns, stage.history).text if stage.history else ""
    opening = filter(None, (earlier, stage.goal))
    return State(
        messages=[SystemMessage(stage.system_prompt), *map(HumanMessage, opening)],
        iteration=0, work=context.kept(stage.work), best="", score=-1.0, reasons=[], fallbacks=[],
        spent=Spent().model_dump_json(), over="", used=[], done=False,
    )  # fmt: skip


async def _think(state: State, runtime: Runtime[Context[W]]) -> dict[str, Any]:
    context = runtime.context
    stage, run = context.stage, context.run
    if over := context.over(state):
        return {"over": over}
    iteration = state["iteration"] + 1
    with run.spans.chat(stage.name, stage.step) as span:
        try:
            async with asyncio.timeout(context.left_s(state)) as clock:
                thought = await run.models.think(
                    state["messages"], context.schemas, _rules(context, state),
                    purpose=stage.name, failed=state["iteration"],
                    late=iteration > stage.max_iterations - stage.rules_last,
                )  # fmt: skip
        except TimeoutError:
            if not clock.expired():
                raise
            return {"over": context.over(state) or "the time was up during a chat"}
        tracing.describe_chat(span, thought.model, state["messages"], thought.message, thought.cost_usd)
        if thought.fallback:
            span.set_attribute("tidemark.fallback", thought.fallback)
        run.emit(
            "thought_generated", stage.name, iteration,
            model=thought.model, thought=said.text(thought.message), fallback=thought.fallback,
            calls=[call["name"] for call in said.calls(thought.message)],
        )  # fmt: skip
    usage = thought.message.usage_metadata
    used = Spent(
        iterations=1,
        tokens=usage["total_tokens"] if usage else 0,
        cost_usd=thought.cost_usd or 0.0,
        unpriced=int(thought.cost_usd is None),
    )
    return {
        "messages": [thought.message],
        "iteration": iteration,
        "fallbacks": [*state["fallbacks"], *filter(None, [thought.fallback])],
        "spent": context.spend(state, used),
    }


def _rules(context: Context[W], state: State) -> Callable[[], Any] | None:
    """The rules' next move, asked for beside the event loop: rules may ask a warehouse."""
    policy = context.stage.policy
    if policy is None:
        return None
    work = context.work(state["work"])

    async def move() -> Move:
        return await context.run.threaded(lambda: policy(work))

    return move


async def _judge(state: State, runtime: Runtime[Context[W]]) -> dict[str, Any]:
    context = runtime.context
    stage, run = context.stage, context.run
    with run.spans.judge(stage.name) as span:
        score = stage.scorer(context.work(state["work"]))
        better = score.value > state["score"]
        ended = score.final or score.value >= stage.threshold
        over = "" if ended else state["over"] or context.over(state)
        done = ended or bool(over) or state["iteration"] >= stage.max_iterations
        span.set_attributes({"tidemark.score": score.value, "tidemark.iteration": state["iteration"]})
        run.emit(
            "iteration_completed", stage.name, state["iteration"], score.value,
            reasons=[*score.reasons, *filter(None, [over])], done=done,
        )  # fmt: skip
    update: dict[str, Any] = {"done": done, "over": over}
    if done:
        update |= {"spent": context.spend(state, Spent())}
    if better or score.final:
        update |= {"best": "", "score": score.value, "reasons": list(score.reasons)}
    return update


def _outcome(context: Context[W], state: Mapping[str, Any]) -> Outcome[W]:
    stage, fallbacks = context.stage, state["fallbacks"]
    return Outcome(
        stage=stage.name,
        work=context.work(state["best"] or state["work"]),
        score=max(0.0, state["score"]),
        reasons=(*state["reasons"], *filter(None, [state["over"]])),
        iterations=state["iteration"],
        passed=state["score"] >= stage.threshold,
        fallback=f"rules for {len(fallbacks)} of {state['iteration']} chats: {fallbacks[-1]}"
        if fallbacks
        else "",
        spent=Spent.model_validate_json(state["spent"]),
        over=state["over"],
        used=tuple(state["used"]),
    )


def _build() -> Any:
    graph = StateGraph(State, context_schema=Context)
    graph.add_node("think", _think)
    graph.add_node("act", act)
    graph.add_node("judge", _judge)
    graph.add_edge(START, "think")
    # Always, for a choice costs as much as a node: over budget there is nothing to do in it.
    graph.add_edge("think", "act")
    graph.add_edge("act", "judge")
    graph.add_conditional_edges("judge", _after_judge, ["think", END])
    return graph.compile()


# A coroutine, for LangGraph would call a function in a thread.
async def _after_judge(state: State) -> str:
    return END if state["done"] else "think"


_GRAPH = _build()
