"""Conditions on a figure in English and Chinese: `above 12%`, `at least $1k`, 超过1万, 100件以上."""

from __future__ import annotations

import re

from agents.analyst.linker.signals import Signal, SignalMatch
from agents.analyst.linker.text import NUMBER_ZH, number

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
_SYMBOLS = {
    "ratio": ("%", "percent"),
    "USD": ("$", "dollars", "dollar", "usd", "美元", "元", "美金"),
    "days": ("days", "day", "天"),
    "ms": ("ms", "milliseconds", "毫秒", "second", "seconds", "秒"),
}
_UNITS = {word: unit for unit, words in _SYMBOLS.items() for word in words}
_IN_SECONDS = ("second", "seconds", "秒")


def _any(words: list[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_EN = _any([word for word in _OPERATORS if word.isascii()])
_ZH = _any([word for word in _OPERATORS if not word.isascii() and word not in ("以上", "以下")])
_FIGURE = r"(?P<figure>\d[\d,]*(?:\.\d+)?)"
_FIGURE_ZH = rf"(?P<figure>\d[\d,]*(?:\.\d+)?|{NUMBER_ZH})"
_SCALE_ZH = r"(?P<scale>千|百万|万|亿)?"
_UNIT_ZH = r"(?P<unit>美元|美金|元|天|毫秒|秒)|[个次件单名]"
# "Over 3 weeks" is a time; and so is "over 2025".
_NO_SPAN = r"(?! ?(?:hours?|weeks?|months?|quarters?|years?|minutes?|个?月|周|年|小时))"
_NO_YEAR = r"(?!(?<=over )20[12]\d\b)"
_PATTERNS = (
    re.compile(
        rf"\b(?P<op>{_EN}) {_NO_YEAR}(?P<currency>\$ ?)?{_FIGURE}(?: ?(?P<scale>k|m|thousand|million)\b)?"
        r"(?: ?(?P<unit>percent|dollars?|usd|days?|ms|milliseconds|seconds?)\b|(?=(?P<sign>%)))?" + _NO_SPAN
    ),
    re.compile(
        rf"(?P<op>{_ZH})(?P<currency>\$)?{_FIGURE_ZH}{_SCALE_ZH}(?:{_UNIT_ZH}|(?=(?P<sign>%)))?" + _NO_SPAN
    ),
    re.compile(
        rf"(?P<currency>\$)?{_FIGURE_ZH}{_SCALE_ZH}(?:{_UNIT_ZH}|(?P<sign>%))?(?P<op>以上|以下)"
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
    unit = _UNITS.get(said, "")
    digits = match["figure"].replace(",", "")
    figure = float(digits) if digits[0].isdecimal() else number(digits)
    if figure is None:
        return None
    value = figure * _SCALES.get(match["scale"], 1.0)
    if unit == "ratio":
        value /= 100
    elif said in _IN_SECONDS:
        value *= 1000
    return Signal("threshold", _OPERATORS[match["op"]], value=value, unit=unit)
