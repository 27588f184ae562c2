"""The broker's storage is formatted by Kafka's own tool, whatever id chance gives."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID

import pytest

from embedded import jars, kafka
from embedded.settings import EmbeddedSettings

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.integration
def test_a_cluster_id_may_begin_with_a_hyphen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = EmbeddedSettings(home=Path(os.environ.get("TIDEMARK_HOME", ROOT / ".tidemark")))
    jars.ensure(shared)
    (tmp_path / "jars").symlink_to(shared.jars_dir)
    monkeypatch.setattr(kafka, "uuid4", lambda: UUID(bytes=b"\xf8" + bytes(range(15))))
    kafka.prepare(EmbeddedSettings(home=tmp_path))
    properties = (tmp_path / "kafka" / "data" / "meta.properties").read_text()
    assert "cluster.id=-AABAgME" in properties
