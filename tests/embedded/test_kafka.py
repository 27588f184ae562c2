"""The broker's storage is formatted by Kafka's own tool, whatever id chance gives."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from embedded import kafka
from embedded_home import embedded_home


@pytest.mark.integration
def test_a_cluster_id_may_begin_with_a_hyphen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "uuid4", lambda: UUID(bytes=b"\xf8" + bytes(range(15))))
    kafka.prepare(embedded_home(tmp_path))
    properties = (tmp_path / "kafka" / "data" / "meta.properties").read_text()
    assert "cluster.id=-AABAgME" in properties
