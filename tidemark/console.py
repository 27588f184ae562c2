"""Where the command line prints: one console, and one way to end with a reason."""

from __future__ import annotations

import sys
from typing import NoReturn

from rich.console import Console
from rich.markup import escape

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def fail(message: str, code: int = 1) -> NoReturn:
    """Print one line to standard error and leave with a non-zero code."""
    errors.print(f"[red]error:[/red] {escape(' '.join(message.split()))}")
    sys.exit(code)
