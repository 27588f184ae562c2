"""What of Markdown an answer may use, and that nothing else of it becomes more than text."""

from __future__ import annotations

import pytest

from agents.pages.markdown import to_html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Revenue: **$1.2M**.", "<p>Revenue: <strong>$1.2M</strong>.</p>"),
        ("1. **China**: 10\n2. Japan: 9",
         "<ol>\n<li><strong>China</strong>: 10</li>\n<li>Japan: 9</li>\n</ol>"),
        ("Two:\n- a\n- b", "<p>Two:</p>\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("1. a\n2. b\nAll 26 rows.", "<ol>\n<li>a</li>\n<li>b</li>\n</ol>\n<p>All 26 rows.</p>"),
        ("one\n\n_two; three_", "<p>one</p>\n<p><em>two; three</em></p>"),
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        ("销售额**上升（10%）**了，收入**$1.2M**（**最高**）。",
         "<p>销售额<strong>上升（10%）</strong>了，收入<strong>$1.2M</strong>（<strong>最高</strong>）。</p>"),
        ("**“中国”**为 **12%**的", "<p><strong>“中国”</strong>为 <strong>12%</strong>的</p>"),
        ("order_item_id and 3 * 4 * 5", "<p>order_item_id and 3 * 4 * 5</p>"),
        ("3 ** 4 ** 5，是 ** 六 **", "<p>3 ** 4 ** 5，是 ** 六 **</p>"),
        ("-5% since May", "<p>-5% since May</p>"),
    ],
)  # fmt: skip
def test_emphasis_and_lists_are_html_in_both_languages(text: str, html: str) -> None:
    assert to_html(text).strip() == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<script>x()</script> & <b>", "<p>&lt;script&gt;x()&lt;/script&gt; &amp; &lt;b&gt;</p>"),
        ("[x](javascript:y) ![z](//evil/p.png)", "<p>[x](javascript:y) ![z](//evil/p.png)</p>"),
        ("https://evil.example <https://evil.example>",
         "<p>https://evil.example &lt;https://evil.example&gt;</p>"),
        ("# Head\n    code\n> quote", "<p># Head<br>\ncode<br>\n&gt; quote</p>"),
        ('**"><img src=x>**', "<p><strong>&quot;&gt;&lt;img src=x&gt;</strong></p>"),
    ],
)  # fmt: skip
def test_what_else_a_text_holds_stays_text(text: str, html: str) -> None:
    assert to_html(text).strip() == html
