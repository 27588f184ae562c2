"""The command never shows a held-out question, however it ends."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from evaluation import __main__ as command


def test_held_out_questions_are_not_shown_on_request(capsys) -> None:
    assert command.main(["-v"]) == 2
    assert command.main(["--half", "heldout", "-v"]) == 2
    assert "no held-out question is shown" in capsys.readouterr().err


def test_a_held_out_half_that_breaks_off_says_where_and_nothing_of_what(
    monkeypatch, tmp_path, capsys
) -> None:
    def breaks(*_: object) -> None:
        raise ValueError("which question it was")

    monkeypatch.setattr(command, "served", lambda folder: nullcontext("http://127.0.0.1:1"))
    monkeypatch.setattr(command, "build", breaks)
    with pytest.raises(SystemExit) as ended:
        command.main(["--half", "heldout", "--set", "bikes", "--folder", str(tmp_path)])
    assert "ValueError at test_command.py" in str(ended.value)
    assert "which question" not in str(ended.value) + "".join(capsys.readouterr())
    # What led to it would be printed with it.
    assert ended.value.__suppress_context__
    with pytest.raises(ValueError, match="which question"):
        command.main(["--half", "development", "--set", "bikes", "--folder", str(tmp_path)])
