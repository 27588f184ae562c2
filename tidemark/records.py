"""`tidemark replay` and `tidemark dead-letters`: recorded traces in, refused records out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from tidemark.console import console, fail


def replay(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A recorded trace file (JSON).")],
) -> None:
    """Send a recorded trace file through the pipeline, as if its agents ran now."""
    from streaming.errors import StreamingError
    from streaming.producer import RecordProducer
    from streaming.replay import replay as send
    from streaming.settings import StreamingSettings

    try:
        with RecordProducer(StreamingSettings()) as producer:
            count = send(file, producer)
            delivered = producer.flush(StreamingSettings().flush_seconds)
            where = "Kafka" if delivered else "the spool (Kafka is away; they go when it is back)"
    except StreamingError as error:
        fail(str(error))
    if dropped := producer.counts["dropped"]:
        fail(f"{dropped} of {count} records of {file.name} were dropped: the spool takes no more")
    console.print(f"{count} records of {file.name} handed to {where}")


def dead_letters(
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest.")] = 20,
) -> None:
    """The newest refused records, with the reason and the original bytes."""
    from streaming.deadletters import recent
    from streaming.errors import StreamingError
    from streaming.ods import Ods
    from warehouse import WarehouseSettings

    try:
        letters = recent(Ods(WarehouseSettings()), limit)
    except StreamingError as error:
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
