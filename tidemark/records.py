"""`tidemark replay` and `tidemark dead-letters`: recorded traces in, refused records out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from tidemark.console import console, fail
from tidemark.stack import client_settings


def replay(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A recorded trace file (JSON).")],
) -> None:
    """Send a recorded trace file through the pipeline, as if its agents ran now."""
    from wiring.errors import TidemarkError
    from wiring.records import send_recording

    try:
        sent = send_recording(client_settings(), file)
    except TidemarkError as error:
        fail(str(error))
    if sent.dropped:
        fail(f"{sent.dropped} of {sent.records} records of {file.name} were dropped: the spool takes no more")
    where = "Kafka" if sent.delivered else "the spool (Kafka is away; they go when it is back)"
    console.print(f"{sent.records} records of {file.name} handed to {where}")


def dead_letters(
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest.")] = 20,
) -> None:
    """The newest refused records, with the reason and the original bytes."""
    from wiring.errors import TidemarkError
    from wiring.records import refused_records

    try:
        letters = refused_records(client_settings(), limit)
    except TidemarkError as error:
        fail(str(error))
    if not letters:
        console.print("No record has been refused.")
    for letter in letters:
        console.print(
            f"[bold]{letter.source_topic}[{letter.source_partition}]@{letter.source_offset}[/bold] "
            f"{letter.refused_at} {escape(letter.reason)}"
        )
        if letter.payload:
            console.print(f"  {escape(letter.payload[:200])}")
