"""The tool registry: what a model may call, and what becomes of a tool's error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel, ValidationError

from agents.runtime.errors import ToolError
from agents.runtime.work import Work

SHOWN_LIMIT = 24_000

W = TypeVar("W", bound=Work)


@dataclass(frozen=True)
class ToolResult:
    """`content` is what a language model is shown (JSON-able); `updates` go into the stage's work.

    What anything but a language model needs must be in the updates: the content may be cut.
    """

    content: Any
    updates: Mapping[str, Any] = field(default_factory=dict)

    def shown(self) -> str:
        text = (
            self.content
            if isinstance(self.content, str)
            else json.dumps(self.content, ensure_ascii=False, default=str)
        )
        if len(text) <= SHOWN_LIMIT:
            return text
        return f"{text[:SHOWN_LIMIT]}\n(cut: these are {SHOWN_LIMIT:,} of {len(text):,} characters)"


@dataclass(frozen=True)
class Tool(Generic[W]):
    """A function of the work so far and a typed argument record; it raises ToolError for what the model
    can put right.
    """

    name: str
    description: str
    arguments: type[BaseModel]
    run: Callable[[W, Any], ToolResult]

    def schema(self) -> dict[str, Any]:
        """The tool in OpenAI's function format, which LangChain's `bind_tools` takes for every provider."""
        parameters = self.arguments.model_json_schema()
        return convert_to_openai_tool(
            {"name": self.name, "description": self.description, "parameters": parameters}
        )


class ToolRegistry(Generic[W]):
    """The tools of one stage by name."""

    def __init__(self, tools: Iterable[Tool[W]]) -> None:
        self._tools = {tool.name: tool for tool in tools}

    def schemas(self) -> list[dict[str, Any]]:
        return [tool.schema() for tool in self._tools.values()]

    def call(self, work: W, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Run a tool. ToolError: the model should be told; anything else fails the task."""
        tool = self._tools.get(name)
        if tool is None:
            raise ToolError(f"there is no tool {name!r}; the tools are {', '.join(sorted(self._tools))}")
        try:
            typed = tool.arguments.model_validate(arguments)
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, item['loc'])) or 'arguments'}: {item['msg']}" for item in error.errors()
            )
            raise ToolError(f"{name}: {problems}") from error
        return tool.run(work, typed)
