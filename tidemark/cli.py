"""`tidemark`: one command for the stack, for questions and for the newcomer's first pass."""

from __future__ import annotations

import logging
import os
import signal
import sys
import warnings

import typer

from tidemark import ask, check, connect, first_pass, records, stack
from tidemark.console import console, fail

app = typer.Typer(
    help="Agents are scheduled like pipelines and analysed like data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

for command in (stack.up, stack.stop, stack.status, stack.logs, stack.restart, stack.env):
    app.command()(command)
app.command("run")(first_pass.run)
app.command("ask")(ask.ask)
app.command("connect")(connect.connect)
app.command("check")(check.check)
app.command("replay")(records.replay)
app.command("dead-letters")(records.dead_letters)


def main() -> None:
    """The console entry. A failure ends as one line and a non-zero code; TIDEMARK_DEBUG=1 shows where."""
    warnings.simplefilter("ignore")
    logging.captureWarnings(True)
    logging.getLogger().setLevel(logging.ERROR)
    signal.signal(signal.SIGTERM, _ended)
    try:
        app()
    except KeyboardInterrupt:
        console.print("\ninterrupted; the stack goes on (`make status`, `make stop`)")
        sys.exit(130)
    except Exception as error:
        if os.environ.get("TIDEMARK_DEBUG"):
            raise
        fail(f"{type(error).__name__}: {error}")


def _ended(*_: object) -> None:
    """What is asked to end, as by `timeout`, ends as by Ctrl-C: with its steps kept and its spans sent."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # So it is in what a script has put into the background.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.raise_signal(signal.SIGINT)


if __name__ == "__main__":
    main()
