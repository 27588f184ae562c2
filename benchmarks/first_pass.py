"""What a newcomer waits for: the first pass, and the next one.

    python -m benchmarks first_pass

An own stack on free ports; environment and jars are there already. Nothing but the command line is used, so
that any other checkout can be measured `--beside`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import Ratio, free_ports
from embedded.settings import EmbeddedSettings

TIDEMARK = str(Path(sys.executable).with_name("tidemark"))


def measure() -> list[Ratio]:
    """The first pass, and a pass again over the first."""
    with tempfile.TemporaryDirectory() as home, stack(Path(home)):
        first = seconds("run")
        seconds("stop")
        again = seconds("run")
    return [
        Ratio("make run, the first time", first, "s"),
        Ratio("make run again, after make stop", again, "s", first, "the first pass"),
    ]


@contextmanager
def stack(home: Path) -> Iterator[EmbeddedSettings]:
    """Addresses of a stack of this run in the environment while it lasts; stopped at the end."""
    before = dict(os.environ)
    (home / "jars").symlink_to(EmbeddedSettings().jars_dir)
    names = [name for name in EmbeddedSettings.model_fields if name.endswith("_port")]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    settings = EmbeddedSettings(home=home, **ports)
    os.environ.update(settings.client_environment())
    try:
        yield settings
    finally:
        seconds("stop")
        os.environ.clear()
        os.environ.update(before)


def seconds(command: str) -> float:
    """How long a command of ours takes; its output is shown only when it fails."""
    began = time.perf_counter()
    done = subprocess.run([TIDEMARK, command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return time.perf_counter() - began
