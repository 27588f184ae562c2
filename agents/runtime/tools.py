"""The tool registry: LangChain's tools by name, with what calling one does, may take, and needs."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import (
    Any,
    Generic,
    Literal,
    Self,
    TypedDict,
    TypeVar,
    Unpack,
    get_origin,
    get_type_hints,
    overload,
)

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import core_schema

from agents.runtime.bulkhead import Bulkhead
from agents.runtime.errors import ToolError, TransientError
from agents.runtime.messages import plain
from agents.runtime.work import ToolCall, Work

SHOWN_LIMIT = 24_000
_REFUSED_LIMIT = 3_000
_PROBLEMS = 8
Effect = Literal["reads", "costs_money", "writes", "runs_code"]
# What changes something waits for a person, and for the calls before it.
_CHANGES: frozenset[Effect] = frozenset({"writes", "runs_code"})
_BACKOFF_S = 0.2

W = TypeVar("W", bound=Work)
D = TypeVar("D")


class ToolContext(Generic[W, D]):
    """What a tool is given besides its arguments: the stage's record as it is when the call begins, the
    agent's dependencies, and whose call it is. A parameter for it is annotated
    `Annotated[ToolContext[MyWork, MyDeps], InjectedToolArg]`; no model sees it.
    """

    def __init__(self, work: W, deps: D, session_id: str = "", run_id: str = "") -> None:
        self.work = work
        self.deps = deps
        self.session_id = session_id
        self.run_id = run_id

    # LangChain makes one pydantic schema of all of a tool's parameters: of this one, that it is what it is.
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.is_instance_schema(cls)


class Result(BaseModel):
    """A tool's typed result. What anything but a language model needs is in its fields; `shown` may leave
    out, and what it gives may be cut.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    def shown(self) -> Any:
        """What a language model is told, JSON-able."""
        return self.model_dump(mode="json")

    def __str__(self) -> str:
        return _text(self.shown())


class Properties(TypedDict, total=False):
    """What is said of a tool when it is registered."""

    version: str
    effects: Collection[Effect]
    timeout_s: float
    retries: int
    approval: bool | None


@dataclass(frozen=True)
class Registered:
    """A tool and what the runtime must know of it. `effects` are all that a call does; `retries` are for
    TransientError alone; with `approval` a person must allow each call, as by default of what changes things.
    """

    tool: BaseTool
    version: str = "1"
    effects: Collection[Effect] = ()
    timeout_s: float = 60.0
    retries: int = 0
    approval: bool | None = None

    @cached_property
    def _bulkhead(self) -> Bulkhead:
        return Bulkhead(self.tool.name, limit=8)

    @property
    def changes(self) -> bool:
        """Whether its calls must be made in their order, each seeing what those before it left."""
        return bool(_CHANGES & set(self.effects))

    @property
    def needs_approval(self) -> bool:
        return self.changes if self.approval is None else self.approval

    @property
    def given_up(self) -> int:
        """How many of its calls were given up and go on by themselves."""
        return self._bulkhead.given_up

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The tool in OpenAI's function format, which LangChain's `bind_tools` takes for every provider."""
        shape = self.tool.tool_call_schema
        if not (isinstance(shape, type) and issubclass(shape, BaseModel)):
            return convert_to_openai_tool(self.tool)
        # LangChain writes out every reference, and of a type that holds itself it never comes to an end.
        parameters = shape.model_json_schema()
        named = {"name": self.tool.name, "description": self.tool.description, "parameters": parameters}
        return {"type": "function", "function": named}

    async def call(self, call: ToolCall, context: ToolContext[Any, Any]) -> Any:
        """The tool's result. Raises ToolError for what a model should be told; all else fails the task."""
        self._check(call.arguments)
        arguments = {**call.arguments, **dict.fromkeys(self._injected, context)}
        for attempt in range(self.retries + 1):
            try:
                async with asyncio.timeout(self.timeout_s) as clock:
                    return await self._once(call, arguments)
            except ToolException as error:
                raise ToolError(str(error)) from error
            except TimeoutError as error:
                if not clock.expired():
                    raise
                late = "; what it changes may have happened all the same" if self.changes else ""
                raise ToolError(f"{call.name} gave no result within {self.timeout_s:g} s{late}") from error
            except TransientError:
                if attempt == self.retries:
                    raise
                await asyncio.sleep(_BACKOFF_S * 2**attempt * random.uniform(0.5, 1.0))
        raise AssertionError("the last attempt returns or raises")

    async def _once(self, call: ToolCall, arguments: Mapping[str, Any]) -> Any:
        asked: Any = dict(arguments)
        if self.tool.response_format == "content_and_artifact":
            asked = {"name": call.name, "args": asked, "id": call.call_id, "type": "tool_call"}
        if self._is_async:
            given = await self._bulkhead.awaited(self.tool.ainvoke(asked))
        else:
            given = await self._bulkhead.threaded(lambda: self.tool.invoke(asked))
        if isinstance(given, ToolMessage):
            given = given.content if given.artifact is None else given.artifact
        return given if isinstance(given, BaseModel) else plain(json.loads(_text(given, bare=False)))

    def _check(self, arguments: Mapping[str, Any]) -> None:
        """The arguments against the tool's own schema; a tool that has only a JSON schema checks itself."""
        schema = self.tool.tool_call_schema
        if not (isinstance(schema, type) and issubclass(schema, BaseModel)):
            return
        try:
            schema.model_validate(arguments)
        except ValidationError as error:
            found = error.errors(include_input=False, include_url=False)
            problems = [
                f"{'.'.join(map(str, item['loc'])) or 'arguments'}: {item['msg']}"
                for item in found[:_PROBLEMS]
            ]
            if len(found) > _PROBLEMS:
                problems.append(f"and {len(found) - _PROBLEMS} more")
            raise ToolError(f"{self.tool.name}: {'; '.join(problems)}") from error

    def kept(self, result: Any) -> str:
        """A result as JSON, from which `restored` makes it again."""
        return result.model_dump_json() if isinstance(result, BaseModel) else json.dumps(result)

    def restored(self, kept: str) -> Any:
        return self._result.validate_json(kept)

    @cached_property
    def _is_async(self) -> bool:
        if isinstance(self.tool, StructuredTool):
            return self.tool.coroutine is not None
        return type(self.tool)._arun is not BaseTool._arun

    @cached_property
    def _function(self) -> Callable[..., Any]:
        """What the tool runs; its signature says what is injected and what comes back."""
        own = getattr(self.tool, "coroutine", None) or getattr(self.tool, "func", None)
        return own or (self.tool._arun if self._is_async else self.tool._run)

    @cached_property
    def _hints(self) -> Mapping[str, Any]:
        try:
            return get_type_hints(self._function, include_extras=True)
        except (NameError, TypeError):
            # A foreign tool may name what is not there; it takes no context of ours and gives plain JSON.
            return {}

    @cached_property
    def _injected(self) -> tuple[str, ...]:
        """The names of the parameters that the context goes into."""
        annotated = {
            name: hint.__origin__ for name, hint in self._hints.items() if hasattr(hint, "__metadata__")
        }
        return tuple(name for name, one in annotated.items() if (get_origin(one) or one) is ToolContext)

    @cached_property
    def _result(self) -> TypeAdapter[Any]:
        hint = self._hints.get("return", Any)
        typed = isinstance(hint, type) and issubclass(hint, BaseModel)
        return TypeAdapter(hint if typed else Any)


class ToolRegistry:
    """Tools by name; a process has one, and a stage picks from it."""

    def __init__(self, tools: Iterable[Registered] = ()) -> None:
        self._tools = {one.tool.name: one for one in tools}

    @overload
    def register(self, tool: BaseTool, **properties: Unpack[Properties]) -> BaseTool: ...

    @overload
    def register(
        self, tool: None = None, **properties: Unpack[Properties]
    ) -> Callable[[BaseTool], BaseTool]: ...

    def register(self, tool: BaseTool | None = None, **properties: Unpack[Properties]) -> Any:
        """Make a LangChain tool known by its name; without a tool, a decorator over LangChain's `@tool`.
        Raises ValueError for a name that another tool has.
        """

        def add(tool: BaseTool) -> BaseTool:
            one = Registered(tool, **properties)
            known = self._tools.setdefault(tool.name, one)
            if known.tool is not tool:
                raise ValueError(
                    f"there is a tool {tool.name!r} already (version {known.version}): name it otherwise"
                )
            return tool

        return add if tool is None else add(tool)

    def named(self, names: Sequence[str]) -> Mapping[str, Registered]:
        """These tools. Raises ValueError for a name that nobody registered."""
        missing = [name for name in names if name not in self._tools]
        if missing:
            raise ValueError(
                f"no tool is registered as {', '.join(missing)}; known: {', '.join(self._tools)}"
            )
        return {name: self._tools[name] for name in names}

    def copy(self) -> Self:
        """A registry of its own with these tools, to which others can be added."""
        return type(self)(self._tools.values())


REGISTRY = ToolRegistry()


def shown(result: Any) -> str:
    """A result as a language model is told it, not longer than it should read."""
    return _cut(_text(result.shown() if isinstance(result, Result) else result), SHOWN_LIMIT)


def refused(error: ToolError) -> str:
    """A refusal as a language model is told it: it may quote what was given, of any length."""
    return _cut(str(error), _REFUSED_LIMIT)


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\n(cut: these are {limit:,} of {len(text):,} characters)"


def _text(content: Any, *, bare: bool = True) -> str:
    """Content as JSON; a text, or a list of texts as MCP's tools give, as it is when it may be bare."""
    if isinstance(content, BaseModel):
        return content.model_dump_json()
    if bare and isinstance(content, list) and content and all(_is_text(item) for item in content):
        return "\n".join(item["text"] for item in content)
    if bare and isinstance(content, str):
        return content
    return json.dumps(content, ensure_ascii=False, default=str)


def _is_text(item: Any) -> bool:
    return isinstance(item, Mapping) and item.get("type") == "text" and isinstance(item.get("text"), str)
