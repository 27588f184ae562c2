"""Chinese words of one character: what they are by themselves they are not within a longer word."""

from __future__ import annotations

from collections.abc import Sequence

import rjieba

from agents.analyst.grammar.chart import FILLER, Phrase
from agents.analyst.grammar.text import Unit

# What one character of Chinese is only by itself, and not within a word: 提前, 过期, 高中.
_COUNTED = set("一二两三四五六七八九十百千")
_ALONE = {
    *(FILLER, "and", "or", "not", "not_after", "versus", "comparative", "difference", "differ", "more"),
    *("by", "by_after", "in", "inside", "over", "per", "this", "copula", "front", "ranked", "respective"),
    *("share", "as_share", "than", "than_after", "trend", "average"),
}


def standing(folded: str, text: Sequence[Unit], found: list[Phrase]) -> list[Phrase]:
    """Without the function words of one character in a longer Chinese word that nothing else is known of."""
    at = {unit.start: position for position, unit in enumerate(text)}
    # 跟上月 is no 跟上.
    known = {
        position
        for one in found
        if one.end - one.start > 1 or one.category in ("relative", "week_relative")
        for position in range(one.start, one.end)
    }
    within: set[int] = set()
    offset = 0
    for token in rjieba.cut(folded, False):
        spots = [at[one] for one in range(offset, offset + len(token)) if one in at]
        offset += len(token)
        alone = len(spots) > 1 and text[spots[0]].chinese and known.isdisjoint(spots)
        if alone and not _COUNTED & set(token):
            within.update(spots)
    return [
        one
        for one in found
        if one.end - one.start > 1 or one.start not in within or one.category not in _ALONE
    ]
