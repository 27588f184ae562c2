"""`tidemark ask` as a process: a warehouse that does not answer, or stops to; a conversation of two."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from free_ports import free_port
from tidemark.ask import DECLINED
from warehouse import WarehouseSettings

ASK = [sys.executable, "-m", "tidemark.cli", "ask", "--json", "revenue last month by country"]


def environment(url: str, dbt_target: Path, home: Path, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "TIDEMARK_HOME": str(home),
        "TIDEMARK_STATE_DIR": str(home),
        "TIDEMARK_WAREHOUSE_URL": url,
        "TIDEMARK_DBT_TARGET_DIR": str(dbt_target),
        "TIDEMARK_KAFKA_BOOTSTRAP": f"127.0.0.1:{free_port()}",
        "TIDEMARK_FLUSH_SECONDS": "0.2",
        "TIDEMARK_MODEL": "",
        **more,
    }


def ask(
    url: str, dbt_target: Path, home: Path, *options: str, **more: str
) -> subprocess.CompletedProcess[str]:
    told = environment(url, dbt_target, home, **more)
    return subprocess.run([*ASK, *options], env=told, capture_output=True, text=True, timeout=300)


def test_a_warehouse_that_never_answers_is_one_line(dbt_target: Path, tmp_path: Path) -> None:
    # Its connections are taken by the kernel, and by nobody else.
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        ended = ask(url, dbt_target, tmp_path, TIDEMARK_BUDGET='{"seconds": 1}')
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"({url}) did not say within 1 s which tables it has" in " ".join(ended.stderr.split())


@pytest.mark.parametrize(
    "deaf", [[], ["sh", "-c", 'trap "" INT; exec "$@"', "sh"]], ids=["in front", "in the background"]
)
def test_one_that_is_told_to_end_ends_as_by_ctrl_c(deaf: list[str], dbt_target: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        told = environment(f"http://127.0.0.1:{server.getsockname()[1]}", dbt_target, tmp_path)
        with subprocess.Popen([*deaf, *ASK], env=told, stderr=subprocess.DEVNULL) as asking:
            asking_connection, _ = server.accept()
            asking.terminate()
            try:
                asking.wait(timeout=60)
            finally:
                asking.kill()
            asking_connection.close()
    assert asking.returncode == 130


@contextmanager
def silenced(url: str, word: bytes) -> Iterator[str]:
    """The URL of a door to a server, behind which it is silent on a connection from this word on."""
    there = urlsplit(url)
    open_: list[socket.socket] = []

    def pass_on(source: socket.socket, target: socket.socket, until: bytes) -> None:
        with suppress(OSError):
            while piece := source.recv(1 << 16):
                if until and until in piece:
                    return
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection((there.hostname, there.port or 0))
                open_.extend((near, far))
                for ends in ((near, far, word), (far, near, b"")):
                    threading.Thread(target=pass_on, args=ends, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    for one in open_:
        one.close()


@pytest.mark.integration
def test_one_that_stops_to_answer_ends_the_run_with_what_it_has(
    commerce: WarehouseSettings, tmp_path: Path
) -> None:
    # What only the answer's own SQL says, and none of the queries about what there is.
    with silenced(commerce.warehouse_url, b"_m0") as url:
        ended = ask(url, commerce.dbt_target_dir, tmp_path, TIDEMARK_BUDGET='{"seconds": 25}')
    assert ended.returncode == 1, ended.stderr
    answer = json.loads(ended.stdout)
    assert (answer["status"], answer["rows"]) == ("failed", [])
    assert "seconds" in answer["over"]
    assert answer["over"] in answer["text"]
    assert "_m0" in answer["sql"]
    assert (Path(answer["report_path"]) / "answer.json").exists()


@pytest.mark.integration
def test_the_second_question_of_a_conversation_comes_with_the_figures_of_the_first(
    commerce: WarehouseSettings, model_server: Callable[..., Any], tmp_path: Path
) -> None:
    with model_server(lambda messages: [("decline", {"reason": "That is enough."})]) as server:
        model = {
            "TIDEMARK_MODEL": "openai:scripted",
            "OPENAI_API_KEY": "any",
            "OPENAI_BASE_URL": server.url,
        }
        first, second = (
            ask(commerce.warehouse_url, commerce.dbt_target_dir, tmp_path, "--session", "talk", **more)
            for more in ({}, model)
        )
        asked = server.requests[0]["messages"]
    assert (first.returncode, second.returncode) == (0, DECLINED), first.stderr + second.stderr
    answer = json.loads(first.stdout)
    [shown] = [str(one["content"]) for one in asked if "Earlier in this conversation" in str(one["content"])]
    assert answer["rows"][0][0] in shown
    assert f"{answer['rows'][0][1]:,.0f}".split(",")[0] in shown
    assert " ".join(answer["sql"].split()) in shown
