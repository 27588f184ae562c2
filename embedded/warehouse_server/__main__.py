"""Start the warehouse server: `python -m embedded.warehouse_server --data DIR --port P`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from embedded.warehouse_server.access import AccessSettings, Users
from embedded.warehouse_server.app import WarehouseServer
from embedded.warehouse_server.engine import Engine
from embedded.warehouse_server.errors import StartError
from embedded.warehouse_server.folder import DataFolder
from embedded.warehouse_server.sandbox import confine

_GRACE_SECONDS = 8.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m embedded.warehouse_server", description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="the data folder, owned by this process alone"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("TIDEMARK_WAREHOUSE_PORT", "18123")))
    arguments = parser.parse_args()
    # chDB takes the server's time zone from here.
    os.environ["TZ"] = "UTC"
    try:
        folder = DataFolder(arguments.data)
        server = _listen(arguments.host, arguments.port)
        confined = confine(folder.path)
        engine = Engine(folder)
    except StartError as error:
        print(f"warehouse server: {error}", file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    sandbox = "confined to its folder" if confined else "not confined: this kernel has no Landlock"
    print(
        f"warehouse server: http://{arguments.host}:{arguments.port} serves {folder.path}, {sandbox}",
        flush=True,
    )
    server.start(engine, Users(AccessSettings()))
    server.socket.close()
    left = server.drain(_GRACE_SECONDS)
    print(f"warehouse server: stopped, {left} requests cut off", flush=True)
    # The engine's background threads would hold an ordinary exit; what was acknowledged is on disk.
    os._exit(0)


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
