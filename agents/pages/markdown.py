"""The Markdown that reports are written in, as HTML: emphasis, code and lists; all else is text, escaped.

Links, images and HTML stay text: a report needs no network, and a name in the data is not to make one.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, emphasis
from markupsafe import Markup

_CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\u3000-\u303f\uff00-\uffef“”‘’—…]")

_LAST_ITEM = re.compile(r"^((?:\d+\.|-) .*)\n(?!(?:\d+\.|-) |\s)", re.MULTILINE)


def to_html(text: str) -> Markup:
    """A text as paragraphs and lists; a line's end stays one, and what follows a list's is no part of it."""
    return Markup(_PARSER.render(_LAST_ITEM.sub(r"\1\n\n", text)))


def _emphasis(state: StateInline, silent: bool) -> bool:
    """CommonMark's emphasis, which asks for a space or punctuation beside a mark that a bracket follows:
    Chinese has no spaces, 上升**（10%）**了.
    """
    start, known = state.pos, len(state.delimiters)
    if not emphasis.tokenize(state, silent):
        return False
    before, after = state.src[:start][-1:], state.src[state.pos :][:1]
    if _CHINESE.match(before) or _CHINESE.match(after):
        for mark in state.delimiters[known:]:
            mark.open = mark.open or bool(after.strip())
            mark.close = mark.close or bool(before.strip())
    return True


_PARSER = MarkdownIt("zero", {"breaks": True}).enable(["backticks", "emphasis", "escape", "list", "newline"])
_PARSER.inline.ruler.at("emphasis", _emphasis)
