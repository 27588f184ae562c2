"""A local server that speaks OpenAI's chat-completions protocol and answers from a script."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

Call = tuple[str, dict[str, Any]]
Script = Callable[[list[dict[str, Any]]], list[Call]]


@dataclass
class Scripted:
    """What the server answers, and what it was asked. `delay` is in seconds; `broken` answers 500."""

    script: Script
    delay: float = 0.0
    broken: bool = False
    requests: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: Request) -> JSONResponse:
        body = await request.json()
        self.requests.append(body)
        await asyncio.sleep(self.delay)
        if self.broken:
            return JSONResponse(
                {"error": {"message": "the model is overloaded", "type": "server_error"}}, 500
            )
        calls = [
            {
                "id": f"call_{len(self.requests)}_{index}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(arguments)},
            }
            for index, (name, arguments) in enumerate(self.script(body["messages"]))
        ]
        message = {"role": "assistant", "content": None if calls else "Done.", "tool_calls": calls or None}
        return JSONResponse(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": int(time.time()),
                "model": body["model"],
                "choices": [
                    {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}
                ],
                "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
            }
        )


@contextmanager
def serving(scripted: Scripted) -> Iterator[Scripted]:
    """Serve on a free port for as long as the block lasts."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    scripted.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    routes = [Route("/v1/chat/completions", scripted.answer, methods=["POST"])]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield scripted
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()
