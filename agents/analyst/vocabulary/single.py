"""Whether one Chinese character is a word of its own: 约 in 约了几个号, and not in 节约."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

import rjieba

from agents.analyst.grammar.text import Unit

# What any word may be said with and be a word still: 每单, 几票, 各线, 骑过, and, after a number, 几辆车.
_NUMBERS = frozenset("每各哪几多少一二两三四五六七八九十百千万这那整半单")
_BESIDE = _NUMBERS | frozenset("按分总最被没不了过出去掉到来回完走给下成着起上好得的里内中外")
_COUNTERS = frozenset("个位名家条张件次笔票趟台辆头只间套份座")
_REACH = 6


def is_word(text: Sequence[Unit], at: int) -> bool:
    if not text[at].chinese:
        return True
    first = last = at
    while first > max(0, at - _REACH) and text[first - 1].chinese:
        first -= 1
    while last + 1 < min(len(text), at + _REACH) and text[last + 1].chinese:
        last += 1
    return _is_word("".join(unit.text for unit in text[first : last + 1]), at - first)


@lru_cache(maxsize=4_096)
def _is_word(text: str, at: int) -> bool:
    end = 0
    for one in _cut(text):
        start, end = end, end + len(one)
        if start <= at < end:
            return all(_goes_beside(one, spot) for spot in range(len(one)) if start + spot != at)
    return True


def _goes_beside(word: str, spot: int) -> bool:
    counted = spot > 0 and word[spot - 1] in _NUMBERS
    return word[spot] in _BESIDE or (counted and word[spot] in _COUNTERS)


def _cut(text: str) -> list[str]:
    # Without guesses at words that no dictionary has: 骑过.
    return _dictionary().cut(text, False)


@cache
def _dictionary() -> rjieba.Jieba:
    return rjieba.Jieba()
