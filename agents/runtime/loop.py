"""The one agent loop: think, act, judge, again, until the score is high enough or a limit ends it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Annotated, Any, Generic, TypedDict, TypeVar, cast

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_core.runnables.config import var_child_runnable_config
from langgraph.func import task
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.runtime import Runtime

from agents.runtime import messages as said
from agents.runtime import tracing
from agents.runtime.budget import Spent
from agents.runtime.errors import ToolError
from agents.runtime.history import compressed
from agents.runtime.rules import Move
from agents.runtime.run import Run
from agents.runtime.stage import Outcome, Stage
from agents.runtime.tools import Registered, ToolContext, shown
from agents.runtime.work import ToolCall, Work, digest
from warehouse.labels import labelled

W = TypeVar("W", bound=Work)
CALLS_AT_ONCE = 16
_log = logging.getLogger(__name__)


class State(TypedDict):
    """What a stage knows after a step; plain data, so that any checkpointer can keep it.

    `work` and `best` are the stage's record as JSON; an empty `best` is `work` itself. `fallbacks` says why
    the rules answered, once a chat that they answered; `spent` is JSON too, `over` why the stage may not go
    on, `used` the approvals that were acted on.
    """

    messages: Annotated[list[AnyMessage], add_messages]
    iteration: int
    work: str
    best: str
    score: float
    reasons: list[str]
    fallbacks: list[str]
    spent: str
    over: str
    used: list[str]
    done: bool


class Kept(TypedDict):
    """What is kept of a call that has ended: what the model is told, the result as JSON, or the refusal."""

    content: str
    result: str
    refusal: str


@dataclass
class _Context(Generic[W]):
    """What the nodes of one stage share. `since` is the moment until which its seconds are on its account,
    `results` what calls gave in this process.
    """

    stage: Stage[W]
    run: Run
    since: float
    _read: dict[str, W] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def tools(self) -> Mapping[str, Registered]:
        return self.run.registry.named(self.stage.tools)

    @cached_property
    def schemas(self) -> list[dict[str, Any]]:
        return [one.schema for one in self.tools.values()]

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

    def spent(self, state: Mapping[str, Any]) -> Spent:
        """What the stage has used, in this process and those before it."""
        account = Spent.model_validate_json(state["spent"])
        return account + Spent(seconds=self.run.clock() - self.since)

    def over(self, state: State) -> str:
        """Why nothing more may be begun, or an empty string."""
        return self.run.over or self.stage.budget.over(self.spent(state), "stage")

    def left_s(self, state: State) -> float | None:
        seconds = self.stage.budget.seconds
        own = [] if seconds is None else [max(0.0, seconds - self.spent(state).seconds)]
        return min([*own, *(one for one in (self.run.left_s,) if one is not None)], default=None)

    def spend(self, state: State, used: Spent) -> str:
        """The stage's account after this use, as JSON; the run's is told."""
        self.run.spend(used)
        total, self.since = self.spent(state) + used, self.run.clock()
        return total.model_dump_json()


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
    context = _Context(stage, run, run.clock())
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


async def _kept(graph: Any, config: Any, context: _Context[W]) -> State | None:
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


def _start(context: _Context[W]) -> State:
    stage = context.stage
    earlier = compressed(context.run.turns, stage.history).text if stage.history else ""
    opening = filter(None, (earlier, stage.goal))
    return State(
        messages=[SystemMessage(stage.system_prompt), *map(HumanMessage, opening)],
        iteration=0, work=context.kept(stage.work), best="", score=-1.0, reasons=[], fallbacks=[],
        spent=Spent().model_dump_json(), over="", used=[], done=False,
    )  # fmt: skip


async def _think(state: State, runtime: Runtime[_Context[W]]) -> dict[str, Any]:
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


def _rules(context: _Context[W], state: State) -> Callable[[], Any] | None:
    """The rules' next move, asked for beside the event loop: rules may ask a warehouse."""
    policy = context.stage.policy
    if policy is None:
        return None
    work = context.work(state["work"])

    async def move() -> Move:
        return await context.run.threaded(lambda: policy(work))

    return move


async def _act(state: State, runtime: Runtime[_Context[W]]) -> dict[str, Any]:
    """Make the calls that were asked for. Each that has ended is kept by itself, and not made again."""
    context = runtime.context
    asked = said.calls(said.newest(state["messages"]))
    if not asked:
        missing = "; ".join(state["reasons"] or ["all"])
        return {"messages": [HumanMessage(f"Call a tool. What is missing: {missing}")]}
    most, refusal = _most(context, state)
    before, told, used = context.work(state["work"]), [], list(state["used"])
    work = before
    for group in _groups(context, asked[:most]):
        calls = [ToolCall(str(one["name"]), _arguments(one), str(one["id"])) for one in group]
        # An approval is for one call.
        approved = [
            call.key in context.run.approved and call.key not in (*used, *(one.key for one in calls[:at]))
            for at, call in enumerate(calls)
        ]
        # One alone is kept with the step that it is all of.
        make = _called if len(asked) == 1 else _called_and_kept
        made = await _all([make(context, state, work, *one) for one in zip(calls, approved, strict=True)])
        for one, call, kept in zip(group, calls, made, strict=True):
            if not kept["refusal"]:
                work = work.reduce(call, _result(context, call, kept))
                used += [call.key] if context.tools[call.name].needs_approval else []
            work = work.noted(call, kept["refusal"])
            told.append(said.told(one, kept["content"], refused=bool(kept["refusal"])))
    told += [said.told(one, refusal, refused=True) for one in asked[most:]]
    account = context.spend(state, Spent(tool_calls=min(most, len(asked))))
    update: dict[str, Any] = {"messages": told, "spent": account, "used": used}
    if work is not before:
        update |= {"work": context.kept(work)}
        # The record that was the best so far is about to change: keep it as it was.
        if not state["best"] and state["score"] >= 0:
            update |= {"best": state["work"]}
    return update


def _most(context: _Context[W], state: State) -> tuple[int, str]:
    """How many calls may be made now, and what is said of those beyond."""
    limits = [(CALLS_AT_ONCE, f"not made: at most {CALLS_AT_ONCE} calls at once")]
    accounts = ((context.stage.budget, context.spent(state)), (context.run.budget, context.run.spent))
    for budget, spent in accounts:
        if budget.tool_calls is not None:
            limits.append((max(0, budget.tool_calls - spent.tool_calls), "not made: no tool calls are left"))
    return min(limits, key=lambda limit: limit[0])


def _groups(context: _Context[W], asked: Sequence[Any]) -> Iterable[list[Any]]:
    """The calls in their order: those that change nothing side by side, each that changes something alone."""
    alone = [(one["name"] in context.tools and context.tools[one["name"]].changes) for one in asked]
    for _, group in groupby(range(len(asked)), lambda at: (alone[at], at if alone[at] else 0)):
        yield [asked[at] for at in group]


def _arguments(call: Any) -> Mapping[str, Any]:
    given = call["args"]
    return given if isinstance(given, dict) else {"unreadable": given}


def _result(context: _Context[W], call: ToolCall, kept: Kept) -> Any:
    """The result as the tool gave it, or as a process before this one kept it."""
    if call.call_id in context.results:
        return context.results.pop(call.call_id)
    return context.tools[call.name].restored(kept["result"])


async def _all(calls: Sequence[Awaitable[Kept]]) -> list[Kept]:
    """What the calls gave, when all have ended. Raises the first fault in the order of the calls."""
    made = await asyncio.gather(*calls, return_exceptions=True)
    for fault in made:
        if isinstance(fault, BaseException):
            raise fault
    return cast("list[Kept]", made)


async def _called(context: _Context[W], state: State, work: W, call: ToolCall, approved: bool) -> Kept:
    """One call, a step of its own."""
    stage, run = context.stage, context.run
    content, refusal, kept = "", "", ""
    with run.spans.tool(stage.name, call.name, call.arguments) as span:
        try:
            result = await _made(context, work, call, approved, context.left_s(state))
            content = shown(result)
            context.results[call.call_id] = result
            if run.checkpoints is not None:
                kept = context.tools[call.name].kept(result)
        except ToolError as error:
            content = refusal = str(error)
            tracing.failed(span, error)
        span.set_attribute("gen_ai.tool.call.result", tracing.capped(content))
        run.emit(
            "tool_called", stage.name, state["iteration"],
            tool=call.name, status="error" if refusal else "ok", error=refusal,
        )  # fmt: skip
    return Kept(content=said.plain(content), result=kept, refusal=said.plain(refusal))


_called_and_kept = task(_called)


async def _made(context: _Context[W], work: W, call: ToolCall, approved: bool, left_s: float | None) -> Any:
    """The tool's result, within the run's time. Raises ToolError for what the model should be told."""
    if "unreadable" in call.arguments:
        given = call.arguments["unreadable"]
        raise ToolError(f"the arguments are not a JSON object: {str(given)[:200]!r}")
    if call.name not in context.tools:
        known = ", ".join(sorted(context.tools))
        raise ToolError(f"there is no tool {call.name!r}; the tools are {known}")
    one = context.tools[call.name]
    if one.needs_approval and not approved:
        raise ToolError(f"{call.name} needs a person's approval of this very call, and has none")
    run = context.run
    try:
        async with asyncio.timeout(left_s) as clock:
            with labelled(agent=run.agent, run=run.run_id, stage=context.stage.name):
                return await one.call(call, ToolContext(work, run.deps, run.session.id, run.run_id))
    except TimeoutError as error:
        if not clock.expired():
            raise
        raise ToolError(f"{call.name} was given up: the time was up") from error


async def _judge(state: State, runtime: Runtime[_Context[W]]) -> dict[str, Any]:
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


def _outcome(context: _Context[W], state: Mapping[str, Any]) -> Outcome[W]:
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
    graph = StateGraph(State, context_schema=_Context)
    graph.add_node("think", _think)
    graph.add_node("act", _act)
    graph.add_node("judge", _judge)
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", _after_think, ["act", "judge"])
    graph.add_edge("act", "judge")
    graph.add_conditional_edges("judge", _after_judge, ["think", END])
    return graph.compile()


# Coroutines, for LangGraph would call a function in a thread.
async def _after_think(state: State) -> str:
    return "judge" if state["over"] else "act"


async def _after_judge(state: State) -> str:
    return END if state["done"] else "think"


_GRAPH = _build()
