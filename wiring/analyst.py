"""Opens an analyst: one way in, for an Airflow task, a page and the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from agents.analyst import Analyst, Answer
from agents.runtime.events import Event, EventSink
from wiring.opened import SpanCount, opened
from wiring.settings import Settings

__all__ = ["Analyst", "Answer", "Event", "SpanCount", "open_analyst"]


@contextmanager
def open_analyst(
    settings: Settings, *, on_event: EventSink | None = None, spans: SpanCount | None = None
) -> Iterator[Analyst]:
    """An analyst whose runs are recorded; see `opened`."""
    with opened(settings, on_event=on_event, spans=spans) as parts:
        yield Analyst(
            parts.warehouse,
            parts.semantic,
            parts.catalogue,
            settings.agents,
            on_event=parts.record,
            tracer_provider=parts.tracer_provider,
        )
