"""The real semantic layer, parsed by dbt from the project, and its vocabulary with a few known values."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agents.analyst.vocabulary import Vocabulary
from streaming.ddl import ods_tables
from warehouse import WarehouseSettings, connect
from warehouse.clickhouse import DIALECT
from warehouse.dbt_runner import run_dbt
from warehouse.ingestion import load_days
from warehouse.semantic import SemanticLayer
from warehouse_process import warehouse_server

ROOT = Path(__file__).parents[2]
VALUES = {
    "user__country": [
        "China",
        "United States",
        "Brasil",
        "Germany",
        "Japan",
        "France",
        "United Kingdom",
        "Spain",
    ],
    "user__city": ["Shanghai", "Beijing", "São Paulo"],
    "user__traffic_source": ["Search", "Organic", "Facebook", "Email", "Display"],
    "user__age_band": ["under 20", "20-29", "30-39", "60 and over"],
    "product__brand": ["Levi's", "Calvin Klein", "Nike", "Allegra K"],
    "product__category": ["Jeans", "Accessories", "Plus", "Active", "Tops & Tees", "Swim"],
    "product__department": ["Women", "Men"],
    "tool_call__tool": ["execute_sql", "compile_intent"],
    "stage_run__stage": ["sql", "chart", "document"],
}


@pytest.fixture(scope="session")
def dbt_target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with dbt's manifests; parsing needs no warehouse."""
    target = tmp_path_factory.mktemp("dbt_target")
    run_dbt(WarehouseSettings(dbt_project_dir=ROOT / "dbt", dbt_target_dir=target), ["parse"])
    return target


@pytest.fixture(scope="session")
def semantic(dbt_target: Path) -> SemanticLayer:
    return SemanticLayer.load(dbt_target / "semantic_manifest.json", DIALECT)


@pytest.fixture(scope="session")
def vocabulary(semantic: SemanticLayer) -> Vocabulary:
    return Vocabulary(semantic, VALUES)


@pytest.fixture(scope="session")
def commerce(dbt_target: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarehouseSettings]:
    """A warehouse server of this run alone with a short history of the shop, built by dbt."""
    with warehouse_server(tmp_path_factory.mktemp("warehouse_data")) as server:
        settings = WarehouseSettings(
            warehouse_url=server.url, dbt_project_dir=ROOT / "dbt", dbt_target_dir=dbt_target
        )
        writer = connect(settings)
        for table in ods_tables(30):
            writer.create(table)
        yesterday = datetime.now(UTC).date() - timedelta(days=1)
        load_days(writer, yesterday - timedelta(days=120), yesterday)
        run_dbt(settings, ["run"])
        yield settings


Call = tuple[str, dict[str, Any] | str]
# The calls that it makes next, or what it says in their place.
Script = Callable[[list[dict[str, Any]]], list[Call] | str]


@dataclass
class Scripted:
    """What the server answers, and what it was asked. `delay` is in seconds; `broken` answers 500.

    `failures` are what the first requests meet instead, None being an answer: a status with its headers,
    a body, or a connection that is cut.
    """

    script: Script
    delay: float = 0.0
    broken: bool = False
    failures: Sequence[dict[str, Any] | None] = ()
    requests: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        await asyncio.sleep(self.delay)
        failure = self.failures[len(self.requests) - 1] if len(self.requests) <= len(self.failures) else None
        if failure and failure.get("cut"):
            return Response(headers={"content-length": "100"}, media_type="application/json")
        if failure and "body" in failure:
            return Response(failure["body"], media_type="application/json")
        if failure or self.broken:
            failure = failure or {"status": 500}
            message = {"error": {"message": "the model is overloaded", "type": "server_error"}}
            return JSONResponse(message, failure["status"], headers=failure.get("headers"))
        said = self.script(body["messages"])
        calls = [
            {
                "id": f"call_{len(self.requests)}_{index}",
                "type": "function",
                "function": {
                    "name": name,
                    "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments),
                },
            }
            for index, (name, arguments) in enumerate([] if isinstance(said, str) else said)
        ]
        text = said if isinstance(said, str) else "Done."
        message = {"role": "assistant", "content": None if calls else text, "tool_calls": calls or None}
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
def _serving(scripted: Scripted) -> Iterator[Scripted]:
    """Serve on a free port for as long as the block lasts."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    scripted.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    routes = [Route("/v1/chat/completions", scripted.answer, methods=["POST"])]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="critical", lifespan="off"))
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


@pytest.fixture(scope="session")
def model_server() -> Callable[..., AbstractContextManager[Scripted]]:
    """Opens a server that speaks OpenAI's protocol: `model_server(script, delay=0.0, broken=False)`."""
    return lambda script, **more: _serving(Scripted(script, **more))
