"""The dates of a text, in English and Chinese, each as a key, and the keys of a moment at its grain."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import datetime

from agents.analyst.grammar.text import number

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"


def keys_of(moment: datetime, grain: str) -> set[str]:
    """What a moment may be called at a grain: the period itself, what it lies in, either without its year."""
    found = {f"{moment:%Y}"}
    if grain == "year":
        return found
    if grain == "quarter":
        quarter = f"Q{(moment.month + 2) // 3}"
        return found | {quarter, f"{moment:%Y}-{quarter}"}
    found |= {f"{moment:%m}", f"{moment:%Y-%m}"}
    if grain == "month":
        return found
    found |= {f"{moment:%m-%d}", f"{moment:%Y-%m-%d}"}
    if grain == "week":
        week = moment.isocalendar()
        found |= {f"W{week.week:02}", f"{week.year}-W{week.week:02}"}
    if grain in ("week", "day"):
        return found
    exact = {f"{moment:%H:%M}", f"{moment:%H:%M:%S}", *([f"{moment:%H}:"] if not moment.minute else [])}
    return found | exact | {f"{moment:%Y-%m-%d} {time}" for time in exact}


def read(text: str) -> list[str]:
    """The keys of the dates in a text; those of whole days with the months and years that they lie in."""
    found: list[str] = []
    for pattern, key in _FORMS:
        for match in pattern.finditer(text):
            found.append(key(match))
        text = pattern.sub(_blank, text)
    days = [key for key in found if re.fullmatch(r"\d{4}-\d\d-\d\d", key)]
    return found + [
        key for day in days if _is_day(day) for key in keys_of(datetime.fromisoformat(day), "day")
    ]


def unknown(text: str, known: Collection[str]) -> tuple[str, list[str]]:
    """(the text without its dates, the dates whose keys are not known). A bare number is a year only where
    that year is known.
    """
    missing: list[str] = []
    for pattern, key in _FORMS:
        missing += [match.group() for match in pattern.finditer(text) if key(match) not in known]
        text = pattern.sub(_blank, text)
    return _YEAR.sub(lambda m: _blank(m) if m.group(1) in known else m.group(), text), missing


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _is_day(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _numbers(match: re.Match[str]) -> str:
    """Year, month and day, as far as they are named, and the time."""
    named = match.groupdict()
    parts = [
        named.get("year") or "",
        *(f"{int(named[one]):02}" for one in ("month", "day") if named.get(one)),
    ]
    time = f" {named['time']}" if named.get("time") else ""
    return "-".join(part for part in parts if part) + time


def _named(match: re.Match[str]) -> str:
    """The same of English months."""
    named = match.groupdict()
    month = next(value for name, value in named.items() if name.startswith("name") and value)
    day = next((f"-{int(value):02}" for name, value in named.items() if name.startswith("day") and value), "")
    year = next((f"{value}-" for name, value in named.items() if name.startswith("year") and value), "")
    return f"{year}{_MONTHS.index(month[:3].lower()) + 1:02}{day}"


def _quarter(match: re.Match[str]) -> str:
    named = match.groupdict()
    year = next((f"{value}-" for name, value in named.items() if name.startswith("year") and value), "")
    quarter = next(value for name, value in named.items() if name.startswith("quarter") and value)
    return f"{year}Q{number(quarter)}"


def _week(match: re.Match[str]) -> str:
    year = f"{match['year']}-" if match["year"] else ""
    return f"{year}W{int(match['week1'] or match['week2'] or match['week3']):02}"


# What stands beside a date is no digit, sign, currency or decimal point: $2,026 and 20.26 are figures.
_BEFORE = r"(?<![A-Za-z0-9$¥€.,-])"
_AFTER = r"(?:(?<=[月份日周度时点])|(?![A-Za-z0-9%万亿]|[.,-]\d))"
_MONTH1, _MONTH2 = _MONTH.replace("(", "(?P<name1>", 1), _MONTH.replace("(", "(?P<name2>", 1)
_YEAR = re.compile(rf"{_BEFORE}(\d{{4}})(?![A-Za-z0-9%万亿]|[.,]\d)年?度?")
_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(rf"{_BEFORE}(?:{pattern}){_AFTER}"), key)
    for pattern, key in (
        (r"(?P<year>\d{4})[-/](?P<month>\d\d?)[-/](?P<day>\d\d?)"
         r"(?:[T ](?P<time>\d\d:\d\d(?::\d\d)?))?", _numbers),
        (r"(?P<year>\d{4})年(?P<month>\d\d?)月(?P<day>\d\d?)日", _numbers),
        (rf"{_MONTH1} (?P<day1>\d\d?)(?:st|nd|rd|th)?(?:,? (?P<year1>\d{{4}}))?|"
         rf"(?P<day2>\d\d?)(?:st|nd|rd|th)? {_MONTH2}(?:,? (?P<year2>\d{{4}}))?", _named),
        (r"(?P<year1>\d{4}) ?-?Q(?P<quarter1>[1-4])|Q(?P<quarter2>[1-4])(?:,? (?P<year2>\d{4}))?|"
         r"(?:(?P<year3>\d{4})年)?第?(?P<quarter3>[1-4一二三四])季度", _quarter),
        (r"(?:(?P<year>\d{4})(?:-|年))?"
         r"(?:W(?P<week1>\d\d?)|第 ?(?P<week2>\d\d?) ?周|(?<![Pp]er )[Ww]eek (?P<week3>\d\d?))", _week),
        (r"(?P<year>\d{4})[-/](?P<month>\d\d)", _numbers),
        (r"(?P<year>\d{4})年(?P<month>\d\d?)月份?", _numbers),
        (rf"{_MONTH1},? (?P<year1>\d{{4}})", _named),
        (r"(?P<month>\d\d?)月(?P<day>\d\d?)日", _numbers),
        (r"(?P<month>\d\d?)月份?", _numbers),
        (r"\d\d:\d\d(?::\d\d)?", lambda match: match.group()),
        (r"(\d\d?)[时点]", lambda match: f"{int(match[1]):02}:"),
    )
)  # fmt: skip
