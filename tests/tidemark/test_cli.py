"""The commands as a whole, and how one that breaks ends."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from tidemark import cli


def test_every_command_says_what_it_does() -> None:
    for command in cli.app.registered_commands:
        name = command.name or command.callback.__name__
        said = CliRunner().invoke(cli.app, [name, "--help"])
        assert said.exit_code == 0
        assert " ".join(command.callback.__doc__.split()) in " ".join(said.output.split())


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> None:
        raise OSError("the disk\nis gone")

    monkeypatch.setattr("tidemark.stack.Stack", breaks)
    monkeypatch.setattr("sys.argv", ["tidemark", "status"])


def test_what_nobody_foresaw_is_one_line(
    broken: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TIDEMARK_DEBUG", raising=False)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "error: OSError: the disk is gone\n"


def test_who_asks_where_is_shown(broken: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMARK_DEBUG", "1")
    with pytest.raises(OSError, match="the disk"):
        cli.main()
