"""How a command ends with a reason."""

from __future__ import annotations

import pytest

from tidemark.console import fail


def test_a_reason_is_one_line_on_standard_error_as_it_was_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        fail("the file\n  [x]/y.json   is none", code=4)
    assert ended.value.code == 4
    assert capsys.readouterr() == ("", "error: the file [x]/y.json is none\n")
