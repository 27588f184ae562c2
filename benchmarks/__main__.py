"""`make bench`: every measure as one table; `python -m benchmarks NAME ...` takes some of them."""

from __future__ import annotations

import importlib
import os
import secrets
import sys

from rich.console import Console
from rich.table import Table

MODULES = ("warehouse_server", "streaming", "first_pass")


def main() -> None:
    """Run the named modules' `measure`, all by default, and print their ratios."""
    # Of every server that a measure starts.
    for user in ("", "READER_"):
        os.environ.setdefault(f"TIDEMARK_WAREHOUSE_{user}PASSWORD", secrets.token_urlsafe(18))
    table = Table("measure", "ratio", "value", "against", box=None)
    for name in sys.argv[1:] or MODULES:
        for ratio in importlib.import_module(f"benchmarks.{name}").measure():
            share = "" if ratio.share is None else f"{ratio.share:.2f}"
            against = f"{ratio.baseline:,.1f} {ratio.unit}, {ratio.against}" if ratio.baseline else ""
            table.add_row(ratio.what, share, f"{ratio.value:,.1f} {ratio.unit}", against)
    # Wide enough for a row a line where no terminal says its width.
    Console(width=max(Console().width, 130)).print(table)


if __name__ == "__main__":
    main()
