"""An intent, written down and read back."""

from __future__ import annotations

from datetime import UTC, datetime

from agents.analyst.intent import Compares, Intent, Is, MetricOf


def test_what_is_written_as_json_is_read_back_as_the_same() -> None:
    began = Compares(dimension="claim__paid_at", op=">=", value=datetime(2026, 10, 1, tzinfo=UTC))
    for condition in (began, Is(dimension="run__day", values=("2026-10-01T00:00:00Z", 3, True))):
        intent = Intent(measures=(MetricOf(name="paid"),), where=condition)
        assert Intent.model_validate(intent.model_dump(mode="json")) == intent
        assert Intent.model_validate_json(intent.model_dump_json()) == intent
