"""Start the warehouse server: `python -m embedded.warehouse_server --data DIR --port P`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from pydantic import ValidationError

from embedded.warehouse_server.access import AccessSettings, Users
from embedded.warehouse_server.app import WarehouseServer
from embedded.warehouse_server.engine import Engine
from embedded.warehouse_server.errors import StartError
from embedded.warehouse_server.folder import DataFolder
from embedded.warehouse_server.running import READER_PLACES, WRITER_PLACES
from embedded.warehouse_server.sandbox import NOT_CONFINED, confine

_GRACE_SECONDS = 8.0
_HANDED_OVER = "TIDEMARK_WAREHOUSE_LOGINS_FD"
# What of the environment the interpreter and its libraries may need, and the mark by which a stack finds its
# processes; all else may be a secret.
_KEPT = ("HOME", "LANG", "LD_", "PATH", "PYTHON", "TIDEMARK_STACK", "TIDEMARK_WAREHOUSE_PORT", "VIRTUAL_ENV")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m embedded.warehouse_server", description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="the data folder, owned by this process alone"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("TIDEMARK_WAREHOUSE_PORT", "18123")))
    arguments = parser.parse_args()
    try:
        access = _handed_over(TZ="UTC", TMPDIR=f"{arguments.data.absolute()}/tmp", LC_CTYPE="C.UTF-8")
        folder = DataFolder(arguments.data)
        server = _listen(arguments.host, arguments.port)
        confined = confine(folder.path)
        engine = Engine(folder, WRITER_PLACES + READER_PLACES)
    except StartError as error:
        print(f"warehouse server: {error}", file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    sandbox = "confined to its folder" if confined else f"NOT CONFINED to it: {NOT_CONFINED}"
    print(
        f"warehouse server: http://{arguments.host}:{arguments.port} serves {folder.path}, {sandbox}",
        flush=True,
    )
    server.start(engine, Users(access), {arguments.host, *access.host_names})
    server.socket.close()
    left = server.drain(_GRACE_SECONDS)
    print(f"warehouse server: stopped, {left} requests cut off", flush=True)
    # The engine's background threads would hold an ordinary exit; what was acknowledged is on disk.
    os._exit(0)


def _handed_over(**wanted: str) -> AccessSettings:
    """Start again, as the same process, without secrets in the environment; the logins come by a pipe.

    SQL that finds a way to files finds this process's environment too. The engine takes its time zone from
    there, so what it needs is set on the way: in place it cannot be. The engine reads what the kernel laid
    behind the first environment, and setting a variable moves the environment away: a crash in some starts.
    """
    if handed := os.environ.get(_HANDED_OVER):
        with open(int(handed), "rb") as pipe:
            return AccessSettings.model_validate_json(pipe.read())
    try:
        access = AccessSettings()
    except ValidationError as error:
        names = ", ".join(f"TIDEMARK_WAREHOUSE_{str(one['loc'][0]).upper()}" for one in error.errors())
        raise StartError(f"{names} must be set: the users' passwords have no default") from None
    read_end, write_end = os.pipe()
    os.write(write_end, access.with_secrets())
    os.close(write_end)
    os.set_inheritable(read_end, True)
    kept = {name: value for name, value in os.environ.items() if name.startswith(_KEPT)}
    os.execve(sys.executable, sys.orig_argv, {**kept, **wanted, _HANDED_OVER: str(read_end)})


def _listen(host: str, port: int) -> WarehouseServer:
    try:
        return WarehouseServer((host, port))
    except OSError as error:
        raise StartError(
            f"cannot listen on port {port} of {host}: {error.strerror}; "
            "set TIDEMARK_WAREHOUSE_PORT to a free port"
        ) from error


if __name__ == "__main__":
    sys.exit(main())
