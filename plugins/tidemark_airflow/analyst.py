"""Opens an analyst with its telemetry wired: one way in, for an Airflow task and for the command line."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agents.analyst import Analyst
    from agents.runtime.events import Event, EventSink


class SpanCount:
    """How many spans each trace has ended: an OpenTelemetry span processor that only counts.

    Who waits for a run's telemetry must know how much of it to expect.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_trace: Counter[str] = Counter()

    @property
    def by_trace(self) -> dict[str, int]:
        """Ended spans by trace id (32 hex digits)."""
        with self._lock:
            return dict(self._by_trace)

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        pass

    def on_end(self, span: Any) -> None:
        with self._lock:
            self._by_trace[f"{span.context.trace_id:032x}"] += 1

    def _on_ending(self, span: Any) -> None:
        pass

    def shutdown(self) -> None:
        pass

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True


@contextmanager
def open_analyst(*, on_event: EventSink | None = None, spans: SpanCount | None = None) -> Iterator[Analyst]:
    """An analyst on the read-only user; its spans and events go to Kafka, or to the spool while that is away.

    Settings come from the environment. `on_event` sees each event too, `spans` counts. On leaving, all
    telemetry is handed over. Raises the rooms' errors, such as `CatalogueError` before dbt has run.
    """
    from opentelemetry import context

    from agents.analyst import Analyst
    from agents.runtime.settings import AgentSettings
    from streaming.otel import telemetry
    from streaming.settings import StreamingSettings
    from warehouse import Catalogue, WarehouseSettings, connect
    from warehouse.semantic import SemanticLayer

    settings = WarehouseSettings()
    warehouse = connect(settings, read_only=True)
    try:
        semantic = SemanticLayer.load(settings.semantic_manifest_path)
        catalogue = Catalogue.load(settings.manifest_path, warehouse, words=semantic.table_words())
        with telemetry(StreamingSettings()) as (provider, send):
            if spans is not None:
                provider.add_span_processor(spans)  # type: ignore[arg-type]

            def record(event: Event) -> None:
                send(event.model_dump())
                if on_event is not None:
                    on_event(event)

            # In a task Airflow's own span is current, and not sampled: a run below it would not be recorded.
            outer = context.attach(context.Context())
            try:
                yield Analyst(
                    warehouse, semantic, catalogue, AgentSettings(), on_event=record, tracer_provider=provider
                )
            finally:
                context.detach(outer)
    finally:
        warehouse.close()
