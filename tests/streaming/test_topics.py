"""What the topics keep: as long as promised, within the room that they were given."""

from __future__ import annotations

import pytest

from streaming.settings import StreamingSettings
from streaming.topics import topic_specs


@pytest.mark.parametrize("partitions", [1, 2, 7])
def test_the_topics_keep_within_the_disks_bound(partitions: int) -> None:
    settings = StreamingSettings(kafka_partitions=partitions)
    # A segment that is being written comes on top of what is kept.
    kept = sum(
        partitions * (int(s.topic_configs["retention.bytes"]) + int(s.topic_configs["segment.bytes"]))
        for s in topic_specs(settings)
    )
    assert 0.95 * settings.kafka_disk_bytes < kept <= settings.kafka_disk_bytes


def test_the_spans_of_seven_days_fit_at_seven_a_second() -> None:
    (spans,) = (spec for spec in topic_specs(StreamingSettings()) if spec.name == "agent.executions")
    # So few make batches of one, which compression does not make smaller: 700 bytes each.
    needed = 7 * 86_400 * 7 * 700
    assert int(spans.topic_configs["retention.bytes"]) * StreamingSettings().kafka_partitions > needed
    assert spans.topic_configs["retention.ms"] == str(7 * 86_400_000)
