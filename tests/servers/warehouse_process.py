"""A real warehouse server: a process of its own on a free port and a temporary folder."""

from __future__ import annotations

import base64
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from free_ports import free_port

# The server as on a kernel without Landlock.
_NOT_CONFINED = (
    "from embedded.warehouse_server import sandbox; sandbox.confine = lambda folder: False; "
    "from embedded.warehouse_server.__main__ import main; raise SystemExit(main())"
)


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def code(self) -> str:
        return self.headers.get("x-clickhouse-exception-code", "")


@dataclass
class WarehouseProcess:
    """A server whose users' passwords are their names."""

    folder: Path
    port: int
    process: subprocess.Popen[str]

    @classmethod
    def start(cls, folder: Path, confined: bool = True, **environment: str) -> WarehouseProcess:
        port = free_port()
        server = cls(folder, port, run_server(folder, port, confined, **environment))
        deadline = time.monotonic() + 60
        while server.process.poll() is None and time.monotonic() < deadline:
            try:
                if server.ask(path="/ping", method="GET").status == 200:
                    return server
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"{server.stop()} exit {server.process.returncode}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self,
        sql: str | bytes = b"",
        user: str = "tidemark",
        path: str = "/",
        method: str = "POST",
        headers: dict[str, str] | None = None,
        **params: str,
    ) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        auth = base64.b64encode(f"{user}:{user}".encode()).decode()
        data = sql.encode("utf-8", "surrogatepass") if isinstance(sql, str) else sql
        url = f"{path}?{urlencode(params)}" if params else path
        connection.request(method, url, data, {"Authorization": f"Basic {auth}", **(headers or {})})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body)

    def sql(self, sql: str, **params: str) -> str:
        reply = self.ask(sql, **params)
        assert reply.status == 200, reply.text
        return reply.text.strip()

    def stop(self, number: int = signal.SIGTERM) -> str:
        """Signal the server, wait, and return what it printed."""
        self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=30)
        return output


def run_server(folder: Path, port: int, confined: bool = True, **environment: str) -> subprocess.Popen[str]:
    """Start a server on a folder and a port, whatever comes of it."""
    module = ["-m", "embedded.warehouse_server"] if confined else ["-c", _NOT_CONFINED]
    command = [sys.executable, *module, "--data", str(folder), "--port", str(port)]
    own = {name: value for name, value in os.environ.items() if not name.startswith("TIDEMARK_")}
    own |= {"TIDEMARK_WAREHOUSE_PASSWORD": "tidemark", "TIDEMARK_WAREHOUSE_READER_PASSWORD": "reader"}
    return subprocess.Popen(
        command, env=own | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@contextmanager
def warehouse_server(folder: Path) -> Iterator[WarehouseProcess]:
    """A server for as long as the block lasts; nothing that it holds is wanted afterwards."""
    server = WarehouseProcess.start(folder)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop(signal.SIGKILL)
