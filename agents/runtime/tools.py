"""The tool registry: what a model may call, and what becomes of a tool's error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel, ValidationError

from agents.runtime.errors import ToolError

CONTENT_LIMIT = 24_000


@dataclass(frozen=True)
class ToolResult:
    """`content` is what the model reads (JSON-able); `work` is merged into the stage's result."""

    content: Any
    work: Mapping[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        text = (
            self.content
            if isinstance(self.content, str)
            else json.dumps(self.content, ensure_ascii=False, default=str)
        )
        return text if len(text) <= CONTENT_LIMIT else text[:CONTENT_LIMIT] + " …(cut)"


@dataclass(frozen=True)
class Tool:
    """A function with a typed argument record; it raises ToolError for what the model can put right."""

    name: str
    description: str
    arguments: type[BaseModel]
    run: Callable[[Any], ToolResult]

    def schema(self) -> dict[str, Any]:
        """The tool in OpenAI's function format, which LangChain's `bind_tools` takes for every provider."""
        parameters = self.arguments.model_json_schema()
        return convert_to_openai_tool(
            {"name": self.name, "description": self.description, "parameters": parameters}
        )


class ToolRegistry:
    """The tools of one stage by name."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._tools = {tool.name: tool for tool in tools}

    def schemas(self) -> list[dict[str, Any]]:
        return [tool.schema() for tool in self._tools.values()]

    def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
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
        return tool.run(typed)
