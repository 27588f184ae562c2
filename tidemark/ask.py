"""`tidemark ask`: one question to the same analyst that the DAGs run, with its steps shown while it works."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape
from rich.table import Table

from tidemark.connect import project_settings
from tidemark.console import console, errors, fail

if TYPE_CHECKING:
    from wiring.analyst import Answer, Event

DECLINED, UNCLEAR = 3, 4
SHOWN_ROWS = 12


def ask(
    question: Annotated[str, typer.Argument(help="What to find out, in English or Chinese.")],
    language: Annotated[Literal["auto", "en", "zh"], typer.Option(help="Of the answer.")] = "auto",
    domain: Annotated[str, typer.Option(help="A domain of the project's metrics.")] = "auto",
    project: Annotated[
        Path | None, typer.Option(help="A dbt project's folder, for this once; else the connected one.")
    ] = None,
    warehouse: Annotated[
        str,
        typer.Option(help="Another than the project's: a URL, or a name of TIDEMARK_WAREHOUSES."),
    ] = "",
    reading: Annotated[
        int, typer.Option(min=0, help="Which of the meanings, from 1, that it was asked back with is meant.")
    ] = 0,
    session: Annotated[
        str, typer.Option(help="The conversation that the question belongs to; without it, one of its own.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole answer as JSON.")] = False,
) -> None:
    """Ask one question. Exit code 0: answered; 3: declined, with what can be asked instead; 4: it may mean
    several things, which are shown to choose from with --reading; 1: failed.
    """
    from wiring.analyst import open_analyst
    from wiring.errors import TidemarkError

    try:
        settings = project_settings(project, warehouse)
        with open_analyst(settings, on_event=None if as_json else show) as analyst:
            answer = analyst.ask(
                question, language=language, domain=domain, reading=reading, session_id=session or None
            )
    except TidemarkError as error:
        fail(str(error))
    if as_json:
        print(answer.model_dump_json())
    else:
        show_answer(answer)
    if answer.status != "answered":
        raise typer.Exit({"declined": DECLINED, "unclear": UNCLEAR}.get(answer.status, 1))


def show(event: Event) -> None:
    """One dim line an event, on standard error: what the agent does while it does it."""
    detail = json.loads(event.detail or "{}")
    what = detail.get("tool") or detail.get("thought") or detail.get("status") or ""
    if event.kind == "iteration_completed":
        what = "; ".join(detail.get("reasons") or ["all checks passed"])
    errors.print(f"[dim]{event.stage or event.agent:<9} {event.kind:<20} {escape(str(what))[:90]}[/dim]")


def show_answer(answer: Answer) -> None:
    """What was understood, the text, the first rows, the SQL, what was checked, the report."""
    if answer.meaning:
        console.print(f"\n[dim]understood as:[/dim] {escape(answer.meaning.sentence)}")
    console.print(f"\n[bold]{escape(answer.text)}[/bold]")
    if answer.status == "unclear":
        console.print("Ask again with --reading and its number.")
    if answer.rows:
        table = Table(box=None)
        for column in answer.columns:
            table.add_column(escape(column.label), justify="right" if column.role == "measure" else "left")
        for row in answer.rows[:SHOWN_ROWS]:
            table.add_row(*map(escape, answer.shown(row)))
        console.print(table)
        if len(answer.rows) > SHOWN_ROWS:
            console.print(f"... {len(answer.rows) - SHOWN_ROWS} more rows in the report")
    if answer.sql:
        console.print(f"\n{escape(answer.sql)}", style="cyan")
    if answer.estimate:
        console.print(f"estimated before it ran: {answer.estimate}")
    checks = ", ".join(check if held else f"not {check}" for check, held in answer.checks.items())
    console.print(f"\nchecked: {checks}")
    console.print(f"report {answer.report_path}")
