"""`make bench`: every measure as one table; `python -m benchmarks NAME ...` takes some of them.

`--beside DIR` measures another checkout of this project in the same run, by these benchmarks and with these
packages: what a change has done, on the machine and in the hour in which both were measured.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import Ratio

MODULES = ("warehouse_server", "streaming", "first_pass", "questions", "understanding", "vocabulary")
_THERE = """
import json, pathlib, sys
from benchmarks.__main__ import measured, shown
found = {ratio.what: shown(ratio) for ratio in measured(sys.argv[2:])}
pathlib.Path(sys.argv[1]).write_text(json.dumps(found))
"""


def main() -> None:
    """Run the named modules' `measure`, all by default, and print their ratios."""
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("names", nargs="*", default=MODULES, metavar="NAME", help=", ".join(MODULES))
    parser.add_argument("--beside", type=Path, metavar="DIR", help="another checkout, to compare with")
    asked = parser.parse_args()
    # Of every server that a measure starts.
    for user in ("", "READER_"):
        os.environ.setdefault(f"TIDEMARK_WAREHOUSE_{user}PASSWORD", secrets.token_urlsafe(18))
    there = beside(asked.beside.resolve(), asked.names) if asked.beside else {}
    table = Table("measure", "ratio", *([str(asked.beside)] if there else []), "value", "against", box=None)
    for ratio in measured(asked.names):
        against = f"{ratio.baseline:,.1f} {ratio.unit}, {ratio.against}" if ratio.baseline else ""
        other = [there.get(ratio.what, "")] if there else []
        table.add_row(ratio.what, shown(ratio), *other, f"{ratio.value:,.1f} {ratio.unit}", against)
    # Wide enough for a row a line where no terminal says its width.
    Console(width=max(Console().width, 130)).print(table)


def measured(names: Iterable[str]) -> list[Ratio]:
    """What the named modules find."""
    return [ratio for name in names for ratio in importlib.import_module(f"benchmarks.{name}").measure()]


def shown(ratio: Ratio) -> str:
    """What of a ratio can be compared between two checkouts."""
    return f"{ratio.value:,.1f}" if ratio.share is None else f"{ratio.share:.2f}"


def beside(checkout: Path, names: Iterable[str]) -> dict[str, str]:
    """What these benchmarks find in another checkout's code, by measure."""
    with tempfile.TemporaryDirectory() as folder:
        # First on the path: these benchmarks, then all else of the other checkout.
        Path(folder, "benchmarks").symlink_to(Path(__file__).resolve().parent)
        path = os.pathsep.join([folder, str(checkout), str(checkout / "plugins")])
        found = Path(folder, "found.json")
        command = [sys.executable, "-P", "-c", _THERE, str(found), *names]
        subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, check=True)
        return dict(json.loads(found.read_text("utf-8")))


if __name__ == "__main__":
    main()
