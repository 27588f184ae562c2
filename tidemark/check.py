"""`tidemark check`: a dbt project looked through before anybody asks, or in its own CI."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tidemark.connect import project_settings
from tidemark.console import console, errors
from tidemark.stack import plain_errors

if TYPE_CHECKING:
    from wiring.checking import Checked

WARNINGS_ONLY = 3
COLOURS = {"error": "red", "warning": "yellow"}


def check(
    folder: Annotated[
        Path | None, typer.Argument(help="A dbt project's folder; else the connected project.")
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, help="Of more statements by dimensions than this, every n-th is made.")
    ] = 200,
    write_overlay: Annotated[
        bool, typer.Option("--write-overlay", help="Draft a tidemark.yml for what the project does not say.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Find what would go wrong with a project's metrics. Exit code 0: nothing; 3: warnings; 1: errors."""
    from wiring.checking import checked, write_draft

    with plain_errors():
        settings = project_settings(folder)
        errors.print(f"[dim]each metric of {escape(str(settings.warehouse.dbt_project_dir))} is tried[/dim]")
        found = checked(settings, limit)
        draft = write_draft(settings) if write_overlay else None
    if as_json:
        print(json.dumps([asdict(one) for one in found.findings], ensure_ascii=False))
    else:
        show(found)
    if draft:
        console.print(f"drafted {draft}: fill in what is empty; connect, ask and the stack read it")
    if found.findings:
        raise typer.Exit(1 if found.errors else WARNINGS_ONLY)


def show(found: Checked) -> None:
    """A line a finding, and what was tried."""
    if found.findings:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("level", "kind", "what"):
            table.add_column(heading, no_wrap=True)
        table.add_column("", overflow="fold")
        for one in found.findings:
            level = f"[{COLOURS[one.level]}]{one.level}[/]"
            table.add_row(level, one.kind, escape(one.subject), escape(one.told))
        # Where nobody looks, as in CI, lines are as long as they are.
        (console if console.is_terminal else Console(width=1_000)).print(table)
    sample = "" if found.pairs == found.of_pairs else ", a sample: more with --limit"
    console.print(
        f"{found.metrics} metrics, {found.pairs:,} of {found.of_pairs:,} times a dimension{sample}, tried in "
        f"{found.statements} statements: {found.errors} errors, {found.warnings} warnings"
    )
