"""What the stack refuses before it starts anything, each in one line."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded import jars, stack
from embedded.errors import EmbeddedError, NotRunning, PortTaken, StateFolderError, UnknownService
from embedded.settings import EmbeddedSettings
from embedded.stack import Stack


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture(autouse=True)
def no_jars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jars, "ensure", lambda settings: None)


def one_line(error: pytest.ExceptionInfo[EmbeddedError]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_taken_port_is_named_with_its_service_its_variable_and_its_holder(
    tmp_path: Path, taken: int
) -> None:
    refused = Stack(EmbeddedSettings(home=tmp_path, airflow_port=taken))
    with pytest.raises(PortTaken) as error:
        refused.up(only=("airflow-api-server",))
    line = one_line(error)
    for part in (str(taken), "airflow-api-server", "TIDEMARK_AIRFLOW_PORT", f"process {os.getpid()}"):
        assert part in line
    assert not any(service.pid for service in refused.status()), "nothing was started"


def test_a_port_nobody_asked_for_is_not_looked_at(
    tmp_path: Path, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    monkeypatch.setattr(stack, "_taken", lambda port: checked.append(str(port)))
    monkeypatch.setattr(stack.Supervisor, "start", lambda *_: None)
    monkeypatch.setattr(Stack, "_start", lambda *_: None)
    Stack(EmbeddedSettings(home=tmp_path, airflow_port=taken)).up(only=("loader",))
    assert str(taken) not in checked
    assert len(checked) == 3, "broker, its controller, warehouse: what the loader needs"


def test_a_home_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(StateFolderError, match="TIDEMARK_HOME") as error:
        Stack(EmbeddedSettings(home=file / "state")).up()
    assert str(file / "state") in one_line(error)


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "NEEDED_FREE_BYTES", 1 << 62)
    with pytest.raises(StateFolderError, match="MB free"):
        Stack(EmbeddedSettings(home=tmp_path)).up()


def test_a_stack_that_never_ran_has_a_status_and_nothing_to_stop(tmp_path: Path) -> None:
    never = Stack(EmbeddedSettings(home=tmp_path / "none"))
    assert {service.state for service in never.status()} == {"STOPPED"}
    assert never.stop() is False
    assert not (tmp_path / "none").exists()
    with pytest.raises(NotRunning, match="tidemark up"):
        never.restart("kafka")


def test_an_unknown_service_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnknownService, match=r"kafak.*kafka, warehouse, stream-job, loader"):
        list(Stack(EmbeddedSettings(home=tmp_path)).logs("kafak"))
