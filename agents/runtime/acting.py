"""The act step: the calls that were asked for, side by side or alone, approved or refused, each kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, TypedDict, TypeVar, cast

from langchain_core.messages import HumanMessage
from langgraph.func import task
from langgraph.runtime import Runtime

from agents.runtime import messages as said
from agents.runtime import tracing
from agents.runtime.budget import Spent
from agents.runtime.errors import ToolError
from agents.runtime.state import Context, State
from agents.runtime.tools import ToolContext, refused, shown
from agents.runtime.work import ToolCall, Work
from warehouse.labels import labelled

W = TypeVar("W", bound=Work)
CALLS_AT_ONCE = 16


class Kept(TypedDict):
    """What is kept of a call that has ended: what the model is told, the result as JSON, or the refusal."""

    content: str
    result: str
    refusal: str


async def act(state: State, runtime: Runtime[Context[W]]) -> dict[str, Any]:
    """Make the calls that were asked for. Each that has ended is kept by itself, and not made again."""
    context = runtime.context
    if state["over"]:
        return {}
    asked = said.calls(said.newest(state["messages"]))
    if not asked:
        missing = "; ".join(state["reasons"] or ["all"])
        return {"messages": [HumanMessage(f"Call a tool. What is missing: {missing}")]}
    most, refusal = _most(context, state)
    before, told, used = context.work(state["work"]), [], list(state["used"])
    work = before
    for group in _groups(context, asked[:most]):
        calls = [ToolCall(str(one["name"]), _arguments(one), str(one["id"])) for one in group]
        approvals = list(_approvals(context, calls, used))
        # One alone is kept with the step that it is all of.
        make = _called if len(asked) == 1 else _called_and_kept
        made = await _all([make(context, state, work, *one) for one in zip(calls, approvals, strict=True)])
        for one, call, approval, kept in zip(group, calls, approvals, made, strict=True):
            if not kept["refusal"]:
                work = work.reduce(call, _result(context, call, kept))
                used += [approval] if approval else []
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


def _most(context: Context[W], state: State) -> tuple[int, str]:
    """How many calls may be made now, and what is said of those beyond."""
    limits = [(CALLS_AT_ONCE, f"not made: at most {CALLS_AT_ONCE} calls at once")]
    accounts = ((context.stage.budget, context.spent(state)), (context.run.budget, context.run.spent))
    for budget, spent in accounts:
        if budget.tool_calls is not None:
            limits.append((max(0, budget.tool_calls - spent.tool_calls), "not made: no tool calls are left"))
    return min(limits, key=lambda limit: limit[0])


def _groups(context: Context[W], asked: Sequence[Any]) -> Iterable[list[Any]]:
    """The calls in their order: those that change nothing side by side, each that changes something alone."""
    alone = [(one["name"] in context.tools and context.tools[one["name"]].changes) for one in asked]
    for _, group in groupby(range(len(asked)), lambda at: (alone[at], at if alone[at] else 0)):
        yield [asked[at] for at in group]


def _approvals(context: Context[W], calls: Sequence[ToolCall], used: Sequence[str]) -> Iterator[str]:
    """For each call the approval that it may be made by, or an empty string: it is for one call, of one stage
    in whichever process.
    """
    run, owner = context.run, f"{context.run.place}{context.stage.name}"
    taken = set(used)
    for call in calls:
        one = context.tools.get(call.name)
        free = sorted(run.approved - taken) if one and one.needs_approval else []
        of_it = (approval for approval in free if approval.startswith(f"{call.key}@"))
        taken_now = next((approval for approval in of_it if run.claim(approval, owner) == owner), "")
        taken.add(taken_now)
        yield taken_now


def _arguments(call: Any) -> Mapping[str, Any]:
    given = call["args"]
    return given if isinstance(given, dict) else {"unreadable": given}


def _result(context: Context[W], call: ToolCall, kept: Kept) -> Any:
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


async def _called(context: Context[W], state: State, work: W, call: ToolCall, approval: str) -> Kept:
    """One call, a step of its own."""
    stage, run = context.stage, context.run
    content, refusal, kept = "", "", ""
    with run.spans.tool(stage.name, call.name, call.arguments) as span:
        try:
            result = await _made(context, work, call, approval, context.left_s(state))
            content = shown(result)
            context.results[call.call_id] = result
            if run.checkpoints is not None:
                kept = context.tools[call.name].kept(result)
        except ToolError as error:
            content = refusal = refused(error)
            tracing.failed(span, error)
        span.set_attribute("gen_ai.tool.call.result", tracing.capped(content))
        run.emit(
            "tool_called", stage.name, state["iteration"],
            tool=call.name, status="error" if refusal else "ok", error=refusal,
        )  # fmt: skip
    return Kept(content=said.plain(content), result=kept, refusal=said.plain(refusal))


_called_and_kept = task(_called)


async def _made(context: Context[W], work: W, call: ToolCall, approval: str, left_s: float | None) -> Any:
    """The tool's result, within the run's time. Raises ToolError for what the model should be told."""
    if "unreadable" in call.arguments:
        given = call.arguments["unreadable"]
        raise ToolError(f"the arguments are not a JSON object: {str(given)[:200]!r}")
    if call.name not in context.tools:
        known = ", ".join(sorted(context.tools))
        raise ToolError(f"there is no tool {call.name!r}; the tools are {known}")
    one = context.tools[call.name]
    if one.needs_approval and not approval:
        raise ToolError(
            f"{call.name} needs a person's approval of this very call, and has none that was not used already"
        )
    run = context.run
    try:
        async with asyncio.timeout(left_s) as clock:
            with labelled(agent=run.agent, run=run.run_id, stage=context.stage.name):
                return await one.call(call, ToolContext(work, run.deps, run.session.id, run.run_id))
    except TimeoutError as error:
        if not clock.expired():
            raise
        raise ToolError(f"{call.name} was given up: the time was up") from error
