"""An agent's graph as LangGraph runs it: each stage and each decision is kept when its node has ended."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any, TypedDict, TypeVar

from langchain_core.runnables.config import var_child_runnable_config
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, StateSnapshot, interrupt
from pydantic import BaseModel

from agents.runtime import approval
from agents.runtime.agent import (
    Agent,
    AgentNode,
    Approval,
    Branch,
    Done,
    Loop,
    Node,
    Parallel,
    Sequence,
    StageNode,
    children,
)
from agents.runtime.approval import Decided, Decision, DecisionRefusedError, Request
from agents.runtime.budget import Spent
from agents.runtime.errors import PermanentError
from agents.runtime.loop import run_stage
from agents.runtime.run import Run
from agents.runtime.stage import Outcome
from agents.runtime.work import digest

T = TypeVar("T", bound=BaseModel)
_log = logging.getLogger(__name__)


def _merged(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {**before, **after}


class State(TypedDict):
    """What has been done, as JSON by the node's path in the agent: `tasks` of the agents, `outcomes` of the
    stages, `newest` request of each approval. `turns` counts the loops' passes; `visits` has what each pass
    of a stage used, and `decided` each decision, by the path with the passes in it.
    """

    tasks: Annotated[dict[str, str], _merged]
    outcomes: Annotated[dict[str, str], _merged]
    newest: Annotated[dict[str, str], _merged]
    turns: Annotated[dict[str, int], _merged]
    visits: Annotated[dict[str, str], _merged]
    decided: Annotated[dict[str, str], _merged]


class _Visit(BaseModel):
    spent: Spent
    used: tuple[str, ...]


@dataclass(frozen=True)
class _Context:
    """The run, and the outcomes that have been read of its state."""

    run: Run
    read: dict[tuple[str, str], Outcome[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Scope:
    """Where in the agent a node is: the agents that it is in as a path, and the loops around it."""

    agent: Agent[Any]
    path: str = ""
    loops: tuple[str, ...] = ()

    def place(self, state: State, node: str) -> str:
        """The node's path with the pass of each loop around it: no two visits have the same."""
        return "".join(f"{loop}.{state['turns'][loop] + 1}/" for loop in self.loops) + self.path + node

    def done(self, state: State, context: _Context) -> Done[Any]:
        task = self.agent.task.model_validate_json(state["tasks"][self.path])
        return Done(task, context.run.deps, state, scope=self.path, read=context.read)


async def run_agent(agent: Agent[T], task: T, run: Run, decision: Decision | None = None) -> Done[T]:
    """Run an agent until it has ended or waits for a person: `waiting` then says for what. The same run, in
    any process and at any time, goes on where it stopped, with a `decision` or without one.

    Raises DecisionRefusedError for a decision that nobody asked for, that comes second or that is about a
    proposal which has changed since; what fails a stage's task as it came.
    """
    if run.checkpoints is None and any(isinstance(node, Approval) for node in _all(agent.body)):
        raise PermanentError(
            f"Agent {agent.name} asks a person, and the steps of this run are not kept. Give it a run id."
        )
    async with run.scope():
        # A graph of its own wherever it is called from, not a part of its caller's.
        outer = var_child_runnable_config.set(None)
        try:
            return await _run(agent, task, run, decision)
        finally:
            var_child_runnable_config.reset(outer)


async def _run(agent: Agent[T], task: T, run: Run, decision: Decision | None) -> Done[T]:
    context, (built, compiled) = _Context(run), _compiled(agent)
    graph = compiled.copy({"checkpointer": run.checkpoints})
    asked = task.model_dump_json()
    # Another graph, or another task, has other steps.
    thread = f"{run.place}{agent.name}:{digest(asked, sorted(built.graph.nodes), sorted(built.graph.edges))}"
    config: Any = {"configurable": {"thread_id": thread}, "recursion_limit": 1_000_000}
    kept = await _kept(graph, config, built, run)
    given: Any = None
    if kept is None:
        given = {name: {} for name in State.__annotations__} | {"tasks": {"": asked}}
    else:
        for visit in kept.values["visits"].values():
            run.spend(_Visit.model_validate_json(visit).spent)
    if decision is not None:
        asked_for = [(_request(one.value), one.id) for one in kept.interrupts] if kept else []
        waiting = {
            request.key: request for request in approval.asked_once(request for request, _ in asked_for)
        }
        if approval.take(decision, waiting, _decided(kept.values if kept else {})):
            answered = waiting[decision.request]
            given = Command(
                resume={
                    one: decision.model_copy(update={"proposal": request.proposal}).model_dump(mode="json")
                    for request, one in asked_for
                    if request == answered or request.same_calls(answered)
                }
            )
    durability: Any = {"durability": "sync"} if run.checkpoints is not None else {}
    # Of a graph that has ended this is nothing but its state.
    state: Any = await graph.ainvoke(given, config, context=context, **durability)
    asking = approval.asked_once(_request(one.value) for one in state.pop("__interrupt__", ()))
    if decision is not None:
        approval.taken(decision, asking, _decided(state))
    return Done(task, run.deps, state, waiting=asking, ended=not asking, read=context.read)


# Compiled once an agent: to compile looks into every function, which takes longer than a step.
@lru_cache
def _compiled(agent: Agent[Any]) -> tuple[_Built, Any]:
    built = _Built()
    built.between(START, built.add(agent.body, _Scope(agent)), END)
    return built, built.graph.compile()


def _decided(state: Mapping[str, Any]) -> dict[str, Decided]:
    return {key: Decided.model_validate_json(kept) for key, kept in state.get("decided", {}).items()}


def _request(kept: Any) -> Request:
    return Request.model_validate(kept)


async def _kept(
    graph: CompiledStateGraph[Any, Any, Any, Any], config: Any, built: _Built, run: Run
) -> StateSnapshot | None:
    """What the run's checkpoints hold of this agent, if it can be read."""
    if run.checkpoints is None:
        return None
    try:
        snapshot = await graph.aget_state(config)
        state: Any = snapshot.values
        if not state.get("tasks"):
            # Nothing was kept, or nothing but that the agent was asked for.
            return None
        for name in State.__annotations__:
            state[name]
        for key, outcome in state["outcomes"].items():
            built.stages[key].restored(outcome)
        _decided(state)
        for one in snapshot.interrupts:
            _request(one.value)
    except (ValueError, TypeError, LookupError, NotImplementedError) as error:
        _log.warning(
            "run %s: what is kept of its graph cannot be read (%s: %s), it starts anew",
            run.run_id, type(error).__name__, error,
        )  # fmt: skip
        await run.checkpoints.adelete_thread(config["configurable"]["thread_id"])
        return None
    return snapshot


def _all(node: Node) -> Iterator[Node]:
    yield node
    for child in (node.agent.body,) if isinstance(node, AgentNode) else children(node):
        yield from _all(child)


_Ends = tuple[str, str]
# A Callable[[State, Runtime[_Context]], Awaitable[dict[str, Any]]], whose parameters LangGraph knows by name.
_Step = Any


@dataclass
class _Built:
    """A graph in the making: a node of ours becomes one or more of LangGraph's, with one way in and out."""

    graph: StateGraph[Any, Any, Any, Any] = field(
        default_factory=lambda: StateGraph(State, context_schema=_Context)
    )
    stages: dict[str, StageNode[Any]] = field(default_factory=dict)

    def between(self, start: str, ends: _Ends, end: str) -> None:
        self.graph.add_edge(start, ends[0])
        self.graph.add_edge(ends[1], end)

    def add(self, node: Node, scope: _Scope) -> _Ends:
        match node:
            case StageNode(name):
                self.stages[scope.path + name] = node
                return self._step(f"{scope.path}{name}", _stage(node, scope))
            case AgentNode(name, agent):
                inner = replace(scope, agent=agent, path=f"{scope.path}{name}/")
                began, _ = self._step(f"{scope.path}{name}", _enter(node, scope))
                ends = self.add(agent.body, inner)
                self.graph.add_edge(began, ends[0])
                return began, ends[1]
            case Sequence(nodes):
                ways = [self.add(one, scope) for one in nodes]
                for before, after in pairwise(ways):
                    self.graph.add_edge(before[1], after[0])
                return ways[0][0], ways[-1][1]
            case Parallel(name, nodes):
                fork, _ = self._step(f"{scope.path}{name}", _nothing)
                sides = [self._side(f"{fork[1:]}/{number}", one, scope) for number, one in enumerate(nodes)]
                for side in sides:
                    self.graph.add_edge(fork, side)
                join, _ = self._step(f"{scope.path}{name}/end", _nothing)
                self.graph.add_edge(sides, join)
                return fork, join
            case Branch(name, arms=arms):
                return self._choice(scope.path + name, _nothing, _chosen(node, scope), arms, scope)
            case Approval(name, _, then, otherwise):
                arms = {"approve": then} | ({} if otherwise is None else {"reject": otherwise})
                return self._choice(scope.path + name, _ask(node, scope), _verdict(node, scope), arms, scope)
            case Loop(name, body):
                key = scope.path + name
                began, _ = self._step(key, _first(key))
                ends = self.add(body, replace(scope, loops=(*scope.loops, key)))
                turned, _ = self._step(f"{key}/turn", _next(key))
                end, _ = self._step(f"{key}/end", _nothing)
                self.graph.add_edge(began, ends[0])
                self.graph.add_edge(ends[1], turned)
                self.graph.add_conditional_edges(turned, _again(node, scope), {True: ends[0], False: end})
                return began, end

    def _step(self, key: str, step: _Step) -> _Ends:
        # A slash before it, for LangGraph lets no node be called as a field of the state is.
        self.graph.add_node(f"/{key}", step)
        return f"/{key}", f"/{key}"

    def _choice(self, key: str, step: _Step, route: Any, arms: Mapping[str, Node], scope: _Scope) -> _Ends:
        began, _ = self._step(key, step)
        end, _ = self._step(f"{key}/end", _nothing)
        ways = {name: self.add(arm, scope) for name, arm in arms.items()}
        for way in ways.values():
            self.graph.add_edge(way[1], end)
        self.graph.add_conditional_edges(
            began, route, {**{name: way[0] for name, way in ways.items()}, "": end}
        )
        return began, end

    def _side(self, key: str, node: Node, scope: _Scope) -> str:
        """One of several side by side. What is more than a stage is a graph of its own, for in one graph
        every step waits for the slowest of them.
        """
        if isinstance(node, StageNode):
            return self.add(node, scope)[0]
        inner = _Built(stages=self.stages)
        inner.between(START, inner.add(node, scope), END)
        graph = inner.graph.compile()

        async def side(state: State, runtime: Runtime[_Context]) -> dict[str, Any]:
            after = await graph.ainvoke(state, context=runtime.context)
            before: Any = state
            return {
                name: {key: value for key, value in after[name].items() if before[name].get(key) != value}
                for name in State.__annotations__
            }

        return self._step(key, side)[0]


async def _nothing(state: State, runtime: Runtime[_Context]) -> dict[str, Any]:
    return {}


def _stage(node: StageNode[Any], scope: _Scope) -> _Step:
    async def step(state: State, runtime: Runtime[_Context]) -> dict[str, Any]:
        run, place = runtime.context.run, scope.place(state, node.name)
        allowed = {approval for one in _decided(state).values() for approval in one.grants}
        used = {key for visit in state["visits"].values() for key in _Visit.model_validate_json(visit).used}
        own = replace(
            run, agent=scope.agent.name, place=f"{run.place}{place}/", approved=frozenset(allowed - used)
        )
        outcome = await run_stage(node.make(scope.done(state, runtime.context)), own)
        kept, path = node.kept(outcome), scope.path + node.name
        runtime.context.read[path, kept] = outcome
        visit = _Visit(spent=outcome.spent, used=outcome.used)
        return {
            "outcomes": {path: kept},
            "visits": {place: visit.model_dump_json()},
        }

    return step


def _enter(node: AgentNode[Any], scope: _Scope) -> _Step:
    async def step(state: State, runtime: Runtime[_Context]) -> dict[str, Any]:
        task = node.task(scope.done(state, runtime.context))
        return {"tasks": {f"{scope.path}{node.name}/": task.model_dump_json()}}

    return step


def _ask(node: Approval, scope: _Scope) -> _Step:
    async def step(state: State, runtime: Runtime[_Context]) -> dict[str, Any]:
        run, key = runtime.context.run, scope.place(state, node.name)
        proposal = node.propose(scope.done(state, runtime.context))
        tools = run.registry.named([call.tool for call in proposal.calls])
        effects = sorted({effect for tool in tools.values() for effect in tool.effects})
        request = Request.of(key, proposal, tuple(effects))
        while True:
            # Until it is answered, this ends the run; then it is done again from the first line.
            decision = Decision.model_validate(interrupt(request.model_dump(mode="json")))
            try:
                approval.check(decision, request)
                break
            except DecisionRefusedError as error:
                _log.warning("run %s: %s", run.run_id, error)
        with replace(run, agent=scope.agent.name).spans.approval(node.name) as span:
            for name, value in decision.model_dump(mode="json", exclude={"edits"}).items():
                span.set_attribute(f"tidemark.decision.{name}", value)
        decided = Decided(request=request, decision=decision)
        return {"newest": {scope.path + node.name: key}, "decided": {key: decided.model_dump_json()}}

    return step


# What follows a node is asked of a coroutine, for LangGraph would call a function in a thread.
def _chosen(node: Branch, scope: _Scope) -> Callable[[State, Runtime[_Context]], Awaitable[str]]:
    async def route(state: State, runtime: Runtime[_Context]) -> str:
        arm = node.choose(scope.done(state, runtime.context)) or ""
        if arm and arm not in node.arms:
            raise PermanentError(
                f"Branch {scope.path + node.name!r} chose {arm!r}; its arms are {', '.join(node.arms)}."
            )
        return arm

    return route


def _verdict(node: Approval, scope: _Scope) -> Callable[[State], Awaitable[str]]:
    async def route(state: State) -> str:
        kept = state["decided"][state["newest"][scope.path + node.name]]
        verdict = Decided.model_validate_json(kept).decision.verdict
        return verdict if verdict == "approve" or node.otherwise is not None else ""

    return route


def _first(key: str) -> _Step:
    async def step(state: State, runtime: Runtime[_Context]) -> dict[str, Any]:
        return {"turns": {key: 0}}

    return step


def _next(key: str) -> _Step:
    async def step(state: State, runtime: Runtime[_Context]) -> dict[str, Any]:
        return {"turns": {key: state["turns"][key] + 1}}

    return step


def _again(node: Loop, scope: _Scope) -> Callable[[State, Runtime[_Context]], Awaitable[bool]]:
    async def route(state: State, runtime: Runtime[_Context]) -> bool:
        turns = state["turns"][scope.path + node.name]
        return turns < node.limit and not node.until(scope.done(state, runtime.context))

    return route
