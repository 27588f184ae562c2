"""What any agent works with: the warehouse, its catalogue and metrics, and a way for its telemetry out."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry import context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

from agents.runtime.door import OverdueError, in_time
from agents.runtime.errors import TransientError
from agents.runtime.events import Event, EventSink
from streaming.otel import telemetry
from warehouse import Catalogue, Warehouse
from warehouse.semantic import SemanticLayer
from wiring.settings import Settings
from wiring.warehouse import open_warehouse


class SpanCount(SpanProcessor):
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

    def on_end(self, span: ReadableSpan) -> None:
        with self._lock:
            self._by_trace[f"{span.context.trace_id:032x}"] += 1


@dataclass(frozen=True)
class Opened:
    """The parts of a run, on the read-only user. `record` takes each event, `tracer_provider` each span."""

    warehouse: Warehouse
    semantic: SemanticLayer
    catalogue: Catalogue
    tracer_provider: TracerProvider
    record: EventSink


@contextmanager
def opened(
    settings: Settings, *, on_event: EventSink | None = None, spans: SpanCount | None = None
) -> Iterator[Opened]:
    """Open them; spans and events go to Kafka, or to the spool while that is away.

    `on_event` sees each event too, `spans` counts. On leaving, all telemetry is handed over. Raises the
    rooms' errors, such as `CatalogueError` before dbt has run.
    """
    with open_warehouse(settings, read_only=True) as warehouse:
        semantic = SemanticLayer.load(
            settings.warehouse.semantic_manifest_path, warehouse.dialect, settings.warehouse.overlay
        )
        catalogue = _catalogue(settings, warehouse, semantic)
        with telemetry(settings.streaming) as (provider, send):
            if spans is not None:
                provider.add_span_processor(spans)

            def record(event: Event) -> None:
                send(event.model_dump())
                if on_event is not None:
                    on_event(event)

            # In a task Airflow's own span is current, and not sampled: a run below it would not be recorded.
            outer = context.attach(context.Context())
            try:
                yield Opened(warehouse, semantic, catalogue, provider, record)
            finally:
                context.detach(outer)


def _catalogue(settings: Settings, warehouse: Warehouse, semantic: SemanticLayer) -> Catalogue:
    """The catalogue with what is there; reading it may take as long as a run."""
    seconds = settings.agents.budget.seconds
    try:
        return in_time(
            lambda: Catalogue.load(
                settings.warehouse.manifest_path,
                warehouse,
                words=semantic.table_words(),
                schemas=settings.warehouse.schemas,
            ),
            seconds,
        )
    except OverdueError as error:
        raise TransientError(
            f"The warehouse ({settings.warehouse.warehouse_url}) did not say within {seconds:g} s which "
            "tables it has. See whether it answers at all, or give the run more seconds (TIDEMARK_BUDGET)."
        ) from error
