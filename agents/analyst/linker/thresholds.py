"""Conditions on a figure in English and Chinese: `above 12%`, `at least $1k`, 超过1万, 100件以上."""

from __future__ import annotations

import re
from collections.abc import Iterable

from agents.analyst.grammar.text import NUMBER_ZH, number
from agents.analyst.linker.signals import Signal, SignalMatch
from agents.analyst.units import units

_COMPARISONS = {
    ">": ("above", "over", "more than", "greater than", "higher than", "larger than", "bigger than", "exceed",
          "exceeds", "exceeded", "exceeding", "超过", "超过了", "高于", "大于", "多于"),
    ">=": ("at least", "no less than", "not less than", "不低于", "不少于", "不小于", "至少", "以上"),
    "<": ("below", "under", "less than", "lower than", "fewer than", "smaller than", "低于", "小于", "少于",
          "不足", "不到"),
    "<=": ("at most", "no more than", "not more than", "不超过", "不高于", "不大于", "至多", "以下"),
}  # fmt: skip
_OPERATORS = {word: operator for operator, words in _COMPARISONS.items() for word in words}
_SCALES = {"k": 1e3, "thousand": 1e3, "千": 1e3, "万": 1e4, "m": 1e6, "million": 1e6, "百万": 1e6, "亿": 1e8}
# What a unit is called or written with -> (its name, how many of it that is).
_WORDS = {word: (name, count) for name, unit in units().items() for word, count in unit.words.items()}
_BEFORE = {unit.before: (name, 1 / unit.scale) for name, unit in units().items() if unit.before}
_AFTER = {
    sign: (name, 1 / unit.scale)
    for name, unit in units().items()
    if (sign := unit.after.strip()) and not sign.isalnum()
}
_UNITS = {**_WORDS, **_BEFORE, **_AFTER}


def _any(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_EN = _any([word for word in _OPERATORS if word.isascii()])
_ZH = _any([word for word in _OPERATORS if not word.isascii() and word not in ("以上", "以下")])
_FIGURE = r"(?P<figure>\d[\d,]*(?:\.\d+)?)"
_FIGURE_ZH = rf"(?P<figure>\d[\d,]*(?:\.\d+)?|{NUMBER_ZH})"
_SCALE_ZH = r"(?P<scale>千|百万|万|亿)?"
_UNIT_EN = rf"(?P<unit>{_any(word for word in _WORDS if word.isascii())})\b"
_UNIT_ZH = rf"(?P<unit>{_any(word for word in _WORDS if not word.isascii())})|[个次件单名]"
_CURRENCY = rf"(?P<currency>(?:{_any(_BEFORE)}) ?)?"
_SIGN = rf"(?P<sign>{_any(_AFTER)})"
# "Over 3 weeks" is a time; and so is "over 2025".
_NO_SPAN = r"(?! ?(?:hours?|weeks?|months?|quarters?|years?|minutes?|个?月|周|年|小时))"
_NO_YEAR = r"(?!(?<=over )20[12]\d\b)"
_PATTERNS = (
    re.compile(
        rf"\b(?P<op>{_EN}) {_NO_YEAR}{_CURRENCY}{_FIGURE}(?: ?(?P<scale>k|m|thousand|million)\b)?"
        rf"(?: ?{_UNIT_EN}|(?={_SIGN}))?" + _NO_SPAN
    ),
    re.compile(
        rf"(?P<op>{_ZH}){_CURRENCY}{_FIGURE_ZH}{_SCALE_ZH}(?:{_UNIT_ZH}|(?={_SIGN}))?" + _NO_SPAN
    ),
    re.compile(
        rf"{_CURRENCY}{_FIGURE_ZH}{_SCALE_ZH}(?:{_UNIT_ZH}|{_SIGN})?(?P<op>以上|以下)"
    ),
)  # fmt: skip


def find(folded: str) -> list[SignalMatch]:
    """Every condition of a folded text, as signals of the kind `threshold`."""
    return [
        SignalMatch(match.start(), match.end(), signal)
        for pattern in _PATTERNS
        for match in pattern.finditer(folded)
        if (signal := _signal(match))
    ]


def _signal(match: re.Match[str]) -> Signal | None:
    said = match["unit"] or match["sign"] or (match["currency"] or "").strip()
    unit, count = _UNITS.get(said, ("", 1.0))
    digits = match["figure"].replace(",", "")
    figure = float(digits) if digits[0].isdecimal() else number(digits)
    if figure is None:
        return None
    # 57 hundredths are 0.57, and not what binary fractions make of it.
    value = round(figure * _SCALES.get(match["scale"], 1.0) * count, 12)
    return Signal("threshold", _OPERATORS[match["op"]], value=value, unit=unit)
