"""`tidemark replay` and `tidemark dead-letters` where Kafka and the warehouse are away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from free_ports import free_port
from tidemark.cli import app


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIDEMARK_HOME", str(tmp_path))
    monkeypatch.setenv("TIDEMARK_KAFKA_BOOTSTRAP", f"127.0.0.1:{free_port()}")
    monkeypatch.setenv("TIDEMARK_WAREHOUSE_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("TIDEMARK_FLUSH_SECONDS", "0.2")
    return tmp_path


def test_a_recording_waits_for_kafka_in_the_spool(home: Path) -> None:
    turns = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "good day"}]
    recording = home / "runs.json"
    recording.write_text(json.dumps([{"task_id": 1, "trial": 0, "reward": 1.0, "traj": turns}]))
    replayed = CliRunner().invoke(app, ["replay", str(recording)])
    assert replayed.exit_code == 0, replayed.output
    assert "records of runs.json handed to the spool (Kafka is away" in replayed.output
    assert any((home / "spool").iterdir())


def test_a_file_that_is_no_recording_is_refused_in_one_line(home: Path) -> None:
    other = home / "other.json"
    other.write_text("{}")
    refused = CliRunner().invoke(app, ["replay", str(other)])
    assert refused.exit_code == 1
    assert refused.output.startswith("error: ")
    assert refused.output.count("\n") == 1


def test_a_warehouse_that_is_away_is_said_in_one_line() -> None:
    refused = CliRunner().invoke(app, ["dead-letters"])
    assert refused.exit_code == 1
    assert "did not answer" in refused.output
    assert refused.output.count("\n") == 1
