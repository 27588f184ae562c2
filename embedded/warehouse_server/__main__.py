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

_GRACE_SECONDS = 8.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m embedded.warehouse_server", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the data folder this process will own")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("TIDEMARK_WAREHOUSE_PORT", "18123")))
    arguments = parser.parse_args()
    os.environ["TZ"] = "UTC"
    try:
        engine = Engine(arguments.data)
        try:
            server = WarehouseServer((arguments.host, arguments.port), engine, Users(AccessSettings()))
        except OSError as error:
            raise StartError(
                f"port {arguments.port} cannot be listened on ({error.strerror}); set TIDEMARK_WAREHOUSE_PORT to a free one"
            ) from error
    except StartError as error:
        print(f"warehouse server: {error}", file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"warehouse server: {arguments.data} at http://{arguments.host}:{arguments.port}", flush=True)
    server.serve_forever(poll_interval=0.2)
    server.server_close()
    server.drain(_GRACE_SECONDS)
    sys.stdout.flush()
    engine.close()
    # chDB's background threads would hold an ordinary exit.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
