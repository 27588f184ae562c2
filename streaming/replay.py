"""Sends a recorded trace file through the pipeline as execution records.

Three formats are read: tau-bench trajectories (a list of runs with `traj`), tau2 results (`simulations`)
and Langfuse exports (`trace` with `observations`). Ids follow from the file, so replaying it again sends
the same records, which DWD keeps once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from streaming.errors import SourceFileError
from streaming.messages import truncate
from streaming.producer import RecordProducer

Execution = dict[str, Any]

# Where a recording has no times: a fixed day, a second a message, a minute between runs.
_SYNTHETIC_START = datetime(2024, 1, 1, tzinfo=UTC)
_SYNTHETIC = {"replay.synthetic_time": "true"}
_CONTENT_LIMIT = 32_768
_ATTRIBUTE_LIMIT = 1_024


def replay(path: Path, producer: RecordProducer) -> int:
    """Send every execution of the file; returns how many. Raises SourceFileError."""
    count = 0
    for record in executions(path):
        producer.send("execution", record)
        count += 1
    return count


def executions(path: Path) -> Iterator[Execution]:
    """The file's execution records in its own order, times as aware datetimes."""
    try:
        data = orjson.loads(path.read_bytes())
    except OSError as error:
        raise SourceFileError(f"{path} cannot be read: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise SourceFileError(f"{path} is no JSON file: {error}") from error
    try:
        if isinstance(data, list) and data and "traj" in data[0]:
            yield from _tau_bench(data, path.stem)
        elif isinstance(data, dict) and "simulations" in data:
            yield from _tau2(data, path.stem)
        elif isinstance(data, dict) and "observations" in data:
            yield from _langfuse(data)
        else:
            raise SourceFileError(
                f"{path} is no tau-bench, tau2 or Langfuse recording; nothing was sent of it"
            )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SourceFileError(f"{path} breaks its own format: {error!r}") from error


def _tau_bench(runs: list[dict[str, Any]], name: str) -> Iterator[Execution]:
    model, _, domain = name.rpartition("-")
    at = _SYNTHETIC_START
    for index, run in enumerate(runs):
        messages = run["traj"]
        trace = _id(16, name, index)
        session = f"{name}/task-{run['task_id']}/trial-{run['trial']}"
        shared = {"trace_id": trace, "session_id": session, "agent": f"tau_bench {domain}"}
        times = [at + timedelta(seconds=number) for number in range(len(messages) + 1)]
        yield _run(shared, messages, times[0], times[-1], _reward(run) | _SYNTHETIC)
        for number, message in enumerate(messages):
            step = _step(shared, messages, number, times[number], times[number + 1])
            if step:
                step["model"] = model if step["operation"] == "chat" else ""
                step["attributes"] |= _SYNTHETIC
                if step["operation"] == "execute_tool" and str(message["content"]).startswith("Error"):
                    step |= {"status": "error", "error": message["content"]}
                yield step
        at = times[-1] + timedelta(minutes=1)


def _tau2(data: dict[str, Any], name: str) -> Iterator[Execution]:
    info = data["info"]
    agent = f"tau2 {info['environment_info']['domain_name']}"
    for run in data["simulations"]:
        messages = run["messages"]
        session = f"{name}/task-{run['task_id']}/trial-{run['trial']}"
        shared = {"trace_id": _id(16, run["id"]), "session_id": session, "agent": agent}
        start, end = _time(run["start_time"]), _time(run["end_time"])
        ended = {"termination_reason": str(run["termination_reason"])}
        yield _run(shared, messages, start, end, _reward(run.get("reward_info") or {}) | ended)
        for number, message in enumerate(messages):
            now = _time(message["timestamp"])
            before = _time(messages[number - 1]["timestamp"]) if number else start
            step = _step(shared, messages, number, min(before, now), now)
            if step is None:
                continue
            if step["operation"] == "chat":
                usage = message.get("usage") or {}
                step["model"] = (message.get("raw_data") or {}).get("model") or info["agent_info"]["llm"]
                step["input_tokens"] = usage.get("prompt_tokens")
                step["output_tokens"] = usage.get("completion_tokens")
                step["cost_usd"] = message.get("cost")
            elif message.get("error"):
                step |= {"status": "error", "error": str(message["content"])}
            yield step


def _langfuse(data: dict[str, Any]) -> Iterator[Execution]:
    trace = data["trace"]
    operations = {"GENERATION": "chat", "TOOL": "execute_tool", "AGENT": "invoke_agent"}
    steps = {"GENERATION": "think", "TOOL": "act"}
    for seen in data["observations"]:
        kind, parent = seen["type"], seen.get("parentObservationId") or ""
        is_call = kind == "GENERATION"
        failed = seen.get("level") == "ERROR"
        metadata = seen.get("metadata")
        known = orjson.loads(metadata) if isinstance(metadata, str) else metadata
        yield {
            "trace_id": seen["traceId"],
            "span_id": seen["id"],
            "parent_span_id": parent,
            "session_id": trace.get("sessionId") or "",
            "agent": trace.get("name") or "",
            "step": steps.get(kind, ""),
            "name": seen.get("name") or kind.lower(),
            "operation": operations.get(kind, "" if parent else "invoke_agent"),
            "model": seen.get("model") or "",
            "tool": seen.get("name") or "" if kind == "TOOL" else "",
            "started_at": _time(seen["startTime"]),
            "ended_at": _time(seen.get("endTime") or seen["startTime"]),
            "status": "error" if failed else "ok",
            "error": seen.get("statusMessage") or "",
            "input_tokens": seen.get("inputUsage") if is_call else None,
            "output_tokens": seen.get("outputUsage") if is_call else None,
            "cost_usd": float(seen.get("totalCost") or 0) if is_call else None,
            "attributes": {"observation.type": kind}
            | {k: truncate(_text(v), _ATTRIBUTE_LIMIT) for k, v in (known or {}).items()},
            "input": truncate(_text(seen.get("input")), _CONTENT_LIMIT),
            "output": truncate(_text(seen.get("output")), _CONTENT_LIMIT),
        }


def _run(
    shared: dict[str, str],
    messages: list[dict[str, Any]],
    start: datetime,
    end: datetime,
    attributes: dict[str, str],
) -> Execution:
    """The span around a whole run: what the user asked first, what the agent said last."""
    asked = next((m["content"] for m in messages if m["role"] == "user"), "")
    said = next((m["content"] for m in reversed(messages) if m["role"] == "assistant" and m["content"]), "")
    return shared | {
        "span_id": _id(8, shared["trace_id"], "run"),
        "parent_span_id": "",
        "name": f"invoke_agent {shared['agent']}",
        "operation": "invoke_agent",
        "started_at": start,
        "ended_at": end,
        "status": "ok",
        "attributes": attributes,
        "input": truncate(_text(asked), _CONTENT_LIMIT),
        "output": truncate(_text(said), _CONTENT_LIMIT),
    }


def _step(
    shared: dict[str, str], messages: list[dict[str, Any]], number: int, start: datetime, end: datetime
) -> Execution | None:
    """The span of one message: a model call or a tool's result; None for what the agent did not do."""
    message = messages[number]
    step: Execution = shared | {
        "span_id": _id(8, shared["trace_id"], number),
        "parent_span_id": _id(8, shared["trace_id"], "run"),
        "started_at": start,
        "ended_at": end,
        "status": "ok",
        "attributes": {},
    }
    if message["role"] == "assistant":
        said = message["content"] or message.get("tool_calls")
        heard = messages[number - 1]["content"] if number else ""
        texts = {
            "input": truncate(_text(heard), _CONTENT_LIMIT),
            "output": truncate(_text(said), _CONTENT_LIMIT),
        }
        return step | texts | {"name": "chat", "operation": "chat", "step": "think"}
    if message["role"] == "tool":
        tool, arguments = _call(messages[:number], message)
        texts = {
            "input": truncate(arguments, _CONTENT_LIMIT),
            "output": _text(message["content"])[:_CONTENT_LIMIT],
        }
        named = {"name": f"execute_tool {tool}", "operation": "execute_tool", "tool": tool, "step": "act"}
        return step | texts | named
    return None


def _call(before: list[dict[str, Any]], result: dict[str, Any]) -> tuple[str, str]:
    """Name and arguments of the call that a tool message answers."""
    wanted = result.get("tool_call_id") or result.get("id")
    for message in reversed(before):
        for call in message.get("tool_calls") or []:
            if call["id"] == wanted:
                # OpenAI's own shape nests them in `function`; tau2 does not.
                function = call.get("function") or call
                return function["name"], _text(function["arguments"])
    return result.get("name") or "", ""


def _reward(result: dict[str, Any]) -> dict[str, str]:
    return {"reward": str(result["reward"])} if result.get("reward") is not None else {}


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _id(size: int, *parts: object) -> str:
    return blake2b(repr(parts).encode(), digest_size=size).hexdigest()
