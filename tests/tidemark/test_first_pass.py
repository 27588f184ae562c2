"""What the newcomer's pass prints of an answer."""

from __future__ import annotations

from tidemark.first_pass import in_short


def test_what_qualifies_a_figure_is_printed_with_it() -> None:
    text = "1. China: Revenue **$174**, before $275.\n2. Brasil: ...\n\n_this quarter runs until 2026-11-20_"
    assert in_short(text) == ("1. China: Revenue $174, before $275.", "this quarter runs until 2026-11-20")
    assert in_short("Revenue: **$1**.") == ("Revenue: $1.", "")
