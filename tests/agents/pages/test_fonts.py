"""Chinese text carries its glyphs with it, and text without it carries nothing."""

from __future__ import annotations

import base64
import io
import re

from fontTools.ttLib import TTFont

from agents.pages import fonts


def test_the_characters_used_and_only_they_travel_with_the_text() -> None:
    rule = fonts.face("revenue 销售额 revenue 销售")
    data = re.search(r"base64,([^)]+)\)", rule)
    assert data
    font = TTFont(io.BytesIO(base64.b64decode(data[1])))
    assert set(font.getBestCmap()) == set(map(ord, "销售额"))
    assert len(rule) < 4000


def test_text_without_chinese_needs_no_font() -> None:
    assert fonts.face("revenue in São Paulo – $1,000") == ""
    assert fonts.into_svg("<svg></svg>", "") == "<svg></svg>"


def test_the_rule_lands_where_browsers_read_it() -> None:
    page = "<html><head><script>x = '</head>'</script></head></html>"
    assert fonts.into_page(page, "RULE").startswith("<html><head><style>RULE</style><script>")
    assert (
        fonts.into_svg('<svg width="1"><g/></svg>', "RULE") == '<svg width="1"><style>RULE</style><g/></svg>'
    )
