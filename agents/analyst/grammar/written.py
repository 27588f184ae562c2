"""Dates and clock times as they are written (2026-10-01, 10/1, 9:30), and what only looks like a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agents.analyst.grammar.chart import FILLER, Phrase
from agents.analyst.grammar.spans import Unclear
from agents.analyst.grammar.text import Unit, language
from agents.analyst.grammar.when import Latest, Stretch, When, Year

NUMBER = "number"
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?"
_WEEKDAY = r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*"
_YEAR = r"(?:19|20)\d\d"
_DATE = rf"{_YEAR}[-/.]\d\d?(?:[-/.]\d\d?)?|\d\d?[/.]\d\d?"
# A dash between two of these is "to".
# Between Latin and Chinese letters there is no word boundary.
_A, _Z = r"(?<![a-z0-9])", r"(?![a-z0-9])"
_LEFT = (
    rf"(?:{_DATE}|(?:{_A}|\d){_MONTH}(?: ?\d\d?)?(?:st|nd|rd|th)?|{_A}{_WEEKDAY}|{_A}q[1-4]|{_A}h[12]|{_YEAR}"
    r"|:\d\d|\d(?:am|pm|st|nd|rd|th)|[年月日号点时周末旬季度天一二三四五六七八九十零])"
)
_RIGHT = (
    rf"(?:{_DATE}|(?:{_MONTH}|{_WEEKDAY}|q[1-4]|h[12]|{_YEAR}|\d\d?(?:st|nd|rd|th)){_Z}|\d\d?:\d\d"
    r"|\d+ ?(?:am|pm|[年月日号点时])|[上本这今去昨前周星礼第一二三四五六七八九十零])"
)
_NUMBERED = rf"\d ?[-–—~] ?(?=\d\d?(?:st|nd|rd|th)? ?(?:am\b|pm\b|[年月日号点时周季]|(?:of )?{_MONTH}\b))"
_AFTER_MONTH = (
    rf"(?:\b{_MONTH} ?\d\d?(?:st|nd|rd|th)?|[月年周]\d\d?) ?[-–—~] ?(?=\d\d?(?:st|nd|rd|th)?\b(?![\d.,%]))"
)
_DASHED = re.compile(rf"{_LEFT} ?[-–—~] ?(?={_RIGHT})|{_NUMBERED}|{_AFTER_MONTH}")
_NUMBER = r"(?:\d\d?|[一二三四五六七八九十]{1,3})"
_LISTED = re.compile(rf"(?<=[\d一二三四五六七八九十])[、,，](?={_NUMBER}(?:[、,，和]{_NUMBER})*[月日号])")
_YEAR_ZH = re.compile("([一二][〇零一二三四五六七八九]{3})(?=年)")
_SHORT_YEAR = re.compile(r"(?<![\w'])'(\d\d)(?![\w'])")
_DASH = re.compile(r"[-–—~]")

_ISO = re.compile(rf"(?<![\d./-])(?<!\d,)({_YEAR})([-/.])(\d\d?)(?:\2(\d\d?))?(?![\d.,/-]*\d)")
_SLASHED = re.compile(rf"(?<![\d./-])(?<!\d,)(\d\d?)([/.])(\d\d?)(?:\2({_YEAR}))?(?![\d./]*\d|%)")
_MONTH_YEAR = re.compile(rf"(?<![\d./-])(?<!\d,)(\d\d?)[/.-]({_YEAR})(?![\d./-])")
_DAY_MARK = re.compile(r" ?(?:[日号]|当天|那天)")
_CLOCK = re.compile(r"(?<![\d:])(\d\d?):(\d\d)(?::\d\d)?(?![\d:]) ?(am\b|pm\b|a\.m|p\.m)?")

_TIMES = frozenset(
    (
        *(
            "month",
            "weekday",
            "weekdays",
            "weekend",
            "unit",
            "number",
            "relative_day",
            "relative_year",
            "part",
        ),
        *(
            "to_date",
            "festival",
            "ordinal",
            "suffix",
            "day_part",
            "day_parted",
            "month_mark",
            "day_mark",
            "am_pm",
        ),
        *("year_mark", "quarter_mark", "hour_mark", "clock_time", "clock_word", "point", "this_time"),
        *("edge_end", "edge_start", "start_mark", "end_mark", "until_now"),
    )
)
_EACH = frozenset(("grain_word", "each", "per"))
_RANKS = frozenset(("top", "most", "front"))
_FIGURES = frozenset(("metric", "verb", "entity", "most", "ranked", "quantity"))
# What ends as a weekday does and goes on as another word.
_COUNTERS, _WORDS = frozenset("个家位名款件种"), frozenset(("日均", "一共", "一直", "一般", "一些", "一下"))
_WHOLE = frozenset(("relative_day", "relative_year", "which_part"))
_BETWEEN = frozenset(("to", "and"))
_BEFORE = frozenset(("relative", "this_weekday", "until", "before", "after", "between"))
_AFTER = frozenset(
    ("since_after", "before_after", "after_after", "until_after", "between_after", "ago", "onwards")
)
# A month is meant, and not what may be, beside these.
_MAY_AFTER = re.compile(
    "in|since|of|for|to|from|until|till|through|by|before|after|during|and|or|last|this|early|mid|late|between"
    "|vs|versus|than|month|every|each|next|previous|whole|entire|at|on|st|nd|rd|th"
)
_MAY_BESIDE = re.compile("vs|versus|v|and|or|to|against|compared|than|until|through")
_MAY_NOT = re.compile("i|we|you|it|they|he|she|be|have|not|also")


def dashed(folded: str) -> str:
    """The same text, letter by letter, with a dash between times written as 至, a comma in 7、8月 as 和."""
    return _LISTED.sub("和", _DASHED.sub(lambda match: _last_dash(match.group()), folded))


def _last_dash(text: str) -> str:
    at = [match.start() for match in _DASH.finditer(text)][-1]
    return f"{text[:at]}至{text[at + 1 :]}"


def written(folded: str, text: Sequence[Unit], found: Sequence[Phrase]) -> list[Phrase]:
    """The phrases found in a text with its written dates and times, and without the numbers inside them and
    the months that are none.
    """
    dates = list(_phrases(folded, text))
    inside = {position for date in dates for position in range(date.start, date.end)}
    kept = [
        phrase
        for phrase in found
        if not (phrase.category == NUMBER and inside & set(range(phrase.start, phrase.end)))
        and not (phrase.category == "month" and phrase.value == "5" and not _is_may(text, phrase.start))
    ] + dates
    needed, heads, days = _needed(kept), _heads(kept), _dated(kept)
    yearly = _yearly(kept)
    rolls = {one.start for one in kept if one.category == "roll" and one.end in _counts(kept)}
    whole = [(one.start, one.end) for one in kept if one.category in _WHOLE]
    return [
        phrase
        for phrase in kept
        if not (phrase.category == FILLER and (phrase.start, phrase.end) in needed)
        and not (phrase.category in _RANKS and phrase.start in heads)
        and not (phrase.category == "than" and (phrase.end in days or phrase.start in rolls))
        and not (phrase.category in _EACH and phrase.start in yearly)
        and not any(_inside(phrase, *span) for span in whole)
        and not (phrase.category == "weekday" and _crossed(phrase, text))
    ]


def _crossed(day: Phrase, text: Sequence[Unit]) -> bool:
    """上周一共 is no Monday, 上周日均 no Sunday, 上周六个国家 no Saturday."""
    after = text[day.end].text if day.end < len(text) else ""
    return after in _COUNTERS or text[day.end - 1].text + after in _WORDS


def _inside(phrase: Phrase, start: int, end: int) -> bool:
    """No 前 and no 天 in 前天."""
    return start <= phrase.start and phrase.end <= end and phrase.end - phrase.start < end - start


def _heads(found: Sequence[Phrase]) -> set[int]:
    """Where 前三天 is a time, and not three of the best days: not after a figure or the word for best."""
    counts = _counts(found)
    figures = {one.end for one in found if one.category in _FIGURES}
    figures |= {one.end for one in found if one.category == FILLER and one.start in figures}
    return {one.start for one in found if one.category in ("head", "tail") and one.end in counts} - figures


def _counts(found: Sequence[Phrase]) -> set[int]:
    """Where so many units of time begin."""
    units = {one.start for one in found if one.category in ("unit", "month_mark")}
    units |= {one.start for one in found if one.category == "counter" and one.end in units}
    return {one.start for one in found if one.category == NUMBER and one.end in units}


def _yearly(found: Sequence[Phrase]) -> set[int]:
    """Where 每月 belongs to 1号: the first of every month, and no figure for each."""
    marks = {one.start for one in found if one.category in ("day_mark", "month_mark")}
    numbers = {one.start for one in found if one.category == NUMBER and one.end in marks}
    return {one.start for one in found if one.category == "every_unit" and one.end in numbers}


def _dated(found: Sequence[Phrase]) -> set[int]:
    """Where a number is a day, and no bound: up to 15 October."""
    months = {one.start for one in found if one.category == "month"}
    months |= {one.start for one in found if one.category == "suffix" and one.end in months}
    return {one.start for one in found if one.category == NUMBER and one.end in months}


def _needed(found: Sequence[Phrase]) -> set[tuple[int, int]]:
    """Where a word that may be passed over elsewhere belongs to a time: 8 *to* 15 October, *this* weekend,
    10月*以来*.
    """
    times = [phrase for phrase in found if phrase.category in _TIMES]
    ends, begins = {one.end for one in times}, {one.start for one in times}
    # In English there may be an article between: to the 15th, each of the last three.
    starts = begins
    for _ in range(2):
        starts = starts | {one.start for one in found if one.category == FILLER and one.end in starts}
    days = {one.start for one in times if one.category in ("weekday", "weekdays", "weekend")}
    theirs = [
        one
        for one in found
        if (one.category in _BETWEEN and one.start in ends and one.end in starts)
        or (one.category in _BEFORE and one.end in begins)
        or (one.category in _AFTER and one.start in ends)
        or (one.category == "any" and one.end in days)
        or (one.category == "each" and one.end in starts)
        or (one.category == "month" and one.value == "5")
        or one.category == "relative_year"
    ]
    return {
        (filler.start, filler.end)
        for filler in found
        if filler.category == FILLER
        for one in theirs
        if one.start <= filler.start and filler.end <= one.end
    }


def _phrases(folded: str, text: Sequence[Unit]) -> Iterator[Phrase]:
    taken: list[range] = []
    chinese = language(folded) == "zh"
    for pattern, build in (
        (_ISO, _iso), (_MONTH_YEAR, _month_year), (_SLASHED, lambda match: _slashed(match, chinese)),
    ):  # fmt: skip
        for match in pattern.finditer(folded):
            if any(match.start() < one.stop and one.start < match.end() for one in taken):
                continue
            when = build(match)
            if when is None:
                continue
            taken.append(range(match.start(), match.end()))
            yield from _over("point", match.start(), match.end(), text, when)
    for match in _YEAR_ZH.finditer(folded):
        year = "".join(str("零一二三四五六七八九".index(one)) for one in match[1].replace("〇", "零"))
        yield from _over(NUMBER, match.start(), match.end(), text, int(year))
    for match in _SHORT_YEAR.finditer(folded):
        # Nov '26 is a month, and no day of one.
        yield from _over(NUMBER, match.start(), match.end(), text, 2000 + int(match[1]))
    for match in _CLOCK.finditer(folded):
        hour, minute = int(match[1]), int(match[2])
        half = match[3]
        if hour <= 24 and minute < 60:
            value = hour % 12 + (12 if half.startswith("p") else 0) if half else hour
            category, meaning = (
                ("clock_time", value) if not minute else ("when", Unclear("minutes", match.group()))
            )
            yield from _over(category, match.start(), match.end(), text, meaning)


def _over(category: str, start: int, end: int, text: Sequence[Unit], value: object) -> Iterator[Phrase]:
    covered = [place for place, unit in enumerate(text) if start <= unit.start and unit.end <= end]
    if covered:
        roles = tuple((place, "time") for place in covered)
        yield Phrase(category, covered[0], covered[-1] + 1, value, ("word:written",), roles)


def _iso(match: re.Match[str]) -> When | None:
    year, _, month, day = match.groups()
    return _date(int(year), int(month), int(day) if day else None)


def _month_year(match: re.Match[str]) -> When | None:
    return _date(int(match[2]), int(match[1]), None)


def _slashed(match: re.Match[str], chinese: bool) -> When | None:
    """10/1: 1 October or 10 January. In Chinese the month is first; 10.1 is a date only beside another word
    of days, or as a range.
    """
    one, mark, other, year = int(match[1]), match[2], int(match[3]), match[4]
    folded = match.string
    if mark == "." and not year:
        in_range = "至" in (folded[match.end() : match.end() + 1], folded[match.start() - 1 : match.start()])
        if not chinese or not (in_range or _DAY_MARK.match(folded, match.end())):
            return None
    if (one, mark, other, year) in ((11, ".", 11, None), (12, ".", 12, None)):
        return None  # Shops' days have names.
    month_first = _day(year, one, other) if one <= 12 and other <= 31 else None
    day_first = _day(year, other, one) if other <= 12 and one <= 31 else None
    if chinese and mark == "/" and month_first:
        return month_first
    if mark == "." and year:
        return day_first
    if month_first and day_first and one != other:
        return month_first if chinese else Unclear("ambiguous", match.group(), (month_first, day_first))
    return month_first or day_first


def _day(year: str | None, month: int, day: int) -> When | None:
    if month < 1 or day < 1:
        return None
    return (
        _date(int(year), month, day) if year else Latest("year", (("month", month, month), ("day", day, day)))
    )


def _date(year: int, month: int, day: int | None) -> When:
    found = Stretch(Year(year), "month", month, month)
    return Stretch(found, "day", day, day) if day is not None else found


def _is_may(text: Sequence[Unit], at: int) -> bool:
    if text[at].text != "may":
        return True
    before = text[at - 1].text if at else ""
    after = text[at + 1].text if at + 1 < len(text) else ""
    if _MAY_NOT.fullmatch(after):
        return False
    if _MAY_AFTER.fullmatch(before) or _MAY_BESIDE.fullmatch(after):
        return True
    if before[:1].isdigit() or after[:1].isdigit():
        return True
    return any(re.fullmatch(_MONTH, one) for one in (before, after)) or not before or not after
