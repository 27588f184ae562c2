"""What `tidemark status` says beside the services."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from embedded.errors import PortTaken
from streaming.producer import RecordProducer
from streaming.settings import StreamingSettings
from tidemark.cli import app
from tidemark.stack import plain_errors
from warehouse.errors import UnreachableError


def test_telemetry_that_waits_for_kafka_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMARK_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "400")
    assert "wait in" not in CliRunner().invoke(app, ["status"]).output
    settings = StreamingSettings(kafka_bootstrap="127.0.0.1:1", flush_seconds=0.1)
    with RecordProducer(settings) as producer:
        producer.send("event", {"kind": "k"})
    assert f"wait in {tmp_path / 'spool'} for Kafka" in CliRunner().invoke(app, ["status"]).output


def test_a_warehouse_that_the_kernel_does_not_confine_is_said_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMARK_HOME", str(tmp_path))
    monkeypatch.setattr("tidemark.stack.can_confine", lambda: True)
    assert "confined" not in CliRunner().invoke(app, ["status"]).output
    monkeypatch.setattr("tidemark.stack.can_confine", lambda: False)
    first = CliRunner().invoke(app, ["status"]).output.splitlines()[0]
    assert first.startswith("the warehouse is not confined to its folder: this kernel has no Landlock")


def test_whatever_a_room_raises_on_purpose_ends_the_command_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for error in (UnreachableError("The warehouse is away.\nStart it."), PortTaken("8080 is taken.")):
        with pytest.raises(SystemExit), plain_errors():
            raise error
    assert capsys.readouterr().err.splitlines() == [
        "error: The warehouse is away. Start it.",
        "error: 8080 is taken.",
    ]
