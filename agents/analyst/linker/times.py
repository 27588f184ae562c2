"""Time expressions in English and Chinese → half-open UTC ranges, with the unit of "the one before"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dateutil.relativedelta import relativedelta

from agents.analyst.grammar.text import NUMBER_EN, NUMBER_ZH, number

_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_MONTH_EN = "|".join(f"{name[:3]}(?:{name[3:]})?" if len(name) > 3 else name for name in _MONTHS) + "|sept"
_UNITS = {
    "second": "second", "minute": "minute", "min": "minute", "hour": "hour", "day": "day", "week": "week",
    "month": "month", "quarter": "quarter", "year": "year", "秒": "second", "分钟": "minute", "小时": "hour",
    "天": "day", "日": "day", "周": "week", "星期": "week", "礼拜": "week", "月": "month", "季度": "quarter",
    "季": "quarter", "年": "year", "年度": "year",
}  # fmt: skip
_UNIT_EN = r"(seconds?|minutes?|mins?|hours?|days?|weeks?|months?|quarters?|years?)"
_UNIT_ZH = r"(秒|分钟|小时|天|日|周|星期|礼拜|月|季度|年)"
_YEAR = r"((?:19|20)\d\d)"


@dataclass(frozen=True)
class TimeSpan:
    """A half-open range, in `count` whole `unit`s where it has one; `start` None means all the data."""

    start: datetime | None
    end: datetime
    unit: str = "day"
    count: int = 1

    def previous(self) -> TimeSpan:
        """The range of the same length right before this one."""
        if self.start is None:
            return self
        step = delta(self.unit, self.count)
        return replace(self, start=self.start - step, end=self.start)

    def year_ago(self) -> TimeSpan:
        if self.start is None:
            return self
        year = relativedelta(years=1)
        return replace(self, start=self.start - year, end=self.end - year)

    @property
    def range(self) -> tuple[datetime, datetime] | None:
        return None if self.start is None else (self.start, self.end)


@dataclass(frozen=True)
class TimeMatch:
    """A time expression and where it stands in the folded text."""

    start: int
    end: int
    span: TimeSpan


def floor(moment: datetime, unit: str) -> datetime:
    """The beginning of the unit that `moment` lies in; weeks begin on Monday."""
    if unit in ("second", "minute", "hour"):
        second = moment.second if unit == "second" else 0
        minute = 0 if unit == "hour" else moment.minute
        return moment.replace(minute=minute, second=second, microsecond=0)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "day":
        return day
    if unit == "week":
        return day - timedelta(days=day.weekday())
    month = day.replace(day=1)
    if unit == "month":
        return month
    if unit == "quarter":
        return month.replace(month=3 * ((month.month - 1) // 3) + 1)
    return month.replace(month=1)


def find(folded: str, now: datetime) -> list[TimeMatch]:
    """All time expressions of a folded text; they may overlap, and the longest is the one to believe."""
    found = []
    for pattern, build in _RULES:
        for match in pattern.finditer(folded):
            span = build(match, now)
            if span is not None:
                found.append(TimeMatch(match.start(), match.end(), span))
    return list(_ranges(folded, sorted(found, key=lambda item: (item.start, -item.end)), now)) + found


def _ranges(folded: str, found: list[TimeMatch], now: datetime) -> Iterator[TimeMatch]:
    """`from A to B`, `since A`, `before A`, 从A到B, A以来, A之前, out of the simple expressions."""
    for first in found:
        if first.span.start is None:
            continue
        before = re.search(
            r"(?:\b(?:from|between|since|before|after|until)\s+|[自从])$", folded[: first.start]
        )
        word = before.group().strip() if before else ""
        begin = before.start() if before else first.start
        tail = re.match(r"\s*(?:以来|至今|到现在|(?:to|until|till)\s+(?:now|today))", folded[first.end :])
        if word == "since" or tail:
            end = first.end + (tail.end() if tail else 0)
            yield TimeMatch(begin, end, TimeSpan(first.span.start, _tomorrow(now), "day", _days(first, now)))
        if word == "after":
            yield TimeMatch(begin, first.end, TimeSpan(first.span.end, _tomorrow(now), "day", 1))
        for second in found:
            gap = folded[first.end : second.start]
            if (
                second.start < first.end
                or second.span.start is None
                or not re.fullmatch(r"\s*(?:to|and|until|till|through|-|–|~|到|至)\s*", gap)
            ):
                continue
            if gap.strip() == "and" and word != "between":
                continue
            start = first.span.start
            if start >= second.span.end:
                start = start.replace(year=second.span.start.year)
            if start < second.span.end:
                days = max(1, (second.span.end - start).days)
                yield TimeMatch(begin, second.end, TimeSpan(start, second.span.end, "day", days))


def _days(match: TimeMatch, now: datetime) -> int:
    return max(1, (_tomorrow(now) - (match.span.start or now)).days)


def _tomorrow(now: datetime) -> datetime:
    return floor(now, "day") + timedelta(days=1)


def delta(unit: str, count: int) -> relativedelta:
    if unit == "quarter":
        return relativedelta(months=3 * count)
    return relativedelta(**{f"{unit}s": count})  # type: ignore[arg-type]  # one of its numbers


def _unit(text: str) -> str:
    return _UNITS.get(text) or _UNITS[text.rstrip("s")]


def _calendar(unit: str, offset: int, now: datetime, count: int = 1) -> TimeSpan:
    """`count` calendar units, the first of which begins `offset` units from the current one."""
    start = floor(now, unit) + delta(unit, 1) * offset
    return TimeSpan(start, start + delta(unit, count), unit, count)


def _last(count: int, unit: str, now: datetime) -> TimeSpan:
    """The last `count` units: hours and shorter roll; days and longer are whole, with the current one."""
    if unit == "second":
        return TimeSpan(now - delta(unit, count), now, unit, count)
    if unit in ("minute", "hour"):
        # Figures are kept by the minute, so the range ends with the current one.
        end = floor(now, "minute") + timedelta(minutes=1)
        return TimeSpan(end - delta(unit, count), end, unit, count)
    return _calendar(unit, 1 - count, now, count)


def _rolling(unit: str, now: datetime) -> TimeSpan:
    """`the past month`, 近一个月: as many days as the unit usually has, today included."""
    days = {"day": 1, "week": 7, "month": 30, "quarter": 90, "year": 365}
    return _last(days[unit], "day", now) if unit in days else _last(1, unit, now)


def _past(count_text: str, unit_text: str, now: datetime) -> TimeSpan | None:
    count, unit = number(count_text), _unit(unit_text)
    if not count or count > 5000:
        return None
    return _rolling(unit, now) if count == 1 else _last(count, unit, now)


def _ahead(count_text: str, unit_text: str, now: datetime) -> TimeSpan | None:
    count = number(count_text)
    return _calendar(_unit(unit_text), 1, now, count) if count and count <= 5000 else None


def _latest(month: int, now: datetime, months: int = 1) -> TimeSpan:
    """A month or quarter named without a year: the newest one that has begun."""
    start = floor(now, "year").replace(month=month)
    if start > now:
        start -= relativedelta(years=1)
    return TimeSpan(start, start + relativedelta(months=months), "month", months)


def _named(year: str | None, month: int, now: datetime, day: str | None = None) -> TimeSpan | None:
    try:
        if year is None:
            span = _latest(month, now)
        else:
            start = now.replace(year=int(year), month=month, day=1, hour=0, minute=0, second=0, microsecond=0)
            span = TimeSpan(start, start + relativedelta(months=1), "month")
        if day is None or span.start is None:
            return span
        start = span.start.replace(day=int(day))
        return TimeSpan(start, start + timedelta(days=1), "day")
    except ValueError:
        return None


def _quarter(year: str | None, quarter: int, now: datetime) -> TimeSpan:
    if year is None:
        return replace(_latest(3 * quarter - 2, now, 3), unit="quarter", count=1)
    start = floor(now, "year").replace(year=int(year), month=3 * quarter - 2)
    return TimeSpan(start, start + relativedelta(months=3), "quarter")


def _half(year: str | None, first: bool, now: datetime) -> TimeSpan:
    start = floor(now, "year").replace(month=1 if first else 7)
    start = start.replace(year=int(year)) if year else start
    return TimeSpan(start, start + relativedelta(months=6), "month", 6)


def _year(year: str, now: datetime) -> TimeSpan:
    start = floor(now, "year").replace(year=int(year))
    return TimeSpan(start, start + relativedelta(years=1), "year")


def _to_date(unit: str, now: datetime) -> TimeSpan:
    return TimeSpan(floor(now, unit), _tomorrow(now), unit)


def _month_number(name: str) -> int:
    return next(index for index, full in enumerate(_MONTHS, 1) if full.startswith(name[:3]))


_Build = Callable[[re.Match[str], datetime], TimeSpan | None]
_DAY_OFFSETS = {
    "today": 0, "tonight": 0, "yesterday": -1, "tomorrow": 1, "day before yesterday": -2, "今天": 0,
    "今日": 0, "昨天": -1, "昨日": -1, "前天": -2, "明天": 1, "后天": 2, "当天": 0, "当日": 0,
}  # fmt: skip
_OFFSETS = {
    "this": 0, "current": 0, "last": -1, "previous": -1, "prior": -1, "next": 1, "coming": 1, "upcoming": 1,
    "本": 0, "这": 0, "这个": 0, "当": 0, "当前": 0, "今": 0, "上": -1, "上个": -1, "上一": -1, "上一个": -1,
    "上上": -2, "上上个": -2, "下": 1, "下个": 1, "下一": 1, "下一个": 1, "前一": -1, "前一个": -1,
}  # fmt: skip
_QUARTERS_EN = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
_TO_DATE = {"mtd": "month", "ytd": "year", "qtd": "quarter", "wtd": "week"}


def _rule(pattern: str, build: _Build) -> tuple[re.Pattern[str], _Build]:
    return re.compile(pattern), build


_RULES: tuple[tuple[re.Pattern[str], _Build], ...] = (
    _rule(
        r"\b(?:the )?(day before yesterday|today|tonight|yesterday|tomorrow)\b",
        lambda m, now: _calendar("day", _DAY_OFFSETS[m[1]], now),
    ),
    _rule(r"(今天|今日|昨天|昨日|前天|明天|后天|当天|当日)",
          lambda m, now: _calendar("day", _DAY_OFFSETS[m[1]], now)),
    _rule(
        rf"\b(?:the )?(this|current|last|previous|prior|next|coming|upcoming) (?:calendar )?{_UNIT_EN}\b",
        lambda m, now: _last(1, _unit(m[2]), now)
        if _unit(m[2]) in ("second", "minute", "hour") and _OFFSETS[m[1]] == -1
        else _calendar(_unit(m[2]), _OFFSETS[m[1]], now),
    ),
    _rule(
        r"(上上个|上上|上一个|上一|上个|上|下一个|下一|下个|下|本|这个|这|当前|当|前一个|前一)(周|星期|礼拜|月|季度|季|小时|年度|年)(?!份额)",
        lambda m, now: _last(1, "hour", now)
        if _unit(m[2]) == "hour" and _OFFSETS[m[1]] == -1
        else _calendar(_unit(m[2]), _OFFSETS[m[1]], now),
    ),
    _rule(r"(今年|本年)", lambda m, now: _calendar("year", 0, now)),
    _rule(r"去年(?!同期)", lambda m, now: _calendar("year", -1, now)),
    _rule(r"前年", lambda m, now: _calendar("year", -2, now)),
    _rule(r"明年", lambda m, now: _calendar("year", 1, now)),
    _rule(
        rf"\b(?:in |over |during |for |within )?(?:the )?(?:last|past|previous|recent|latest) "
        rf"({NUMBER_EN})[ -]{_UNIT_EN}\b",
        lambda m, now: _past(m[1], m[2], now),
    ),
    _rule(rf"\b(?:the )?past {_UNIT_EN}\b", lambda m, now: _rolling(_unit(m[1]), now)),
    _rule(
        rf"\b(?:in |over |for |within )?(?:the )?next ({NUMBER_EN})[ -]{_UNIT_EN}\b",
        lambda m, now: _ahead(m[1], m[2], now),
    ),
    _rule(
        rf"(?:最近的?|近|过去的?|前|这)({NUMBER_ZH})个?{_UNIT_ZH}(?:内|里|以来)?",
        lambda m, now: _past(m[1], m[2], now)
    ),
    _rule(r"(?:最近|近|过去)半年", lambda m, now: _last(6, "month", now)),
    _rule(rf"(?:未来|接下来|今后)的?({NUMBER_ZH})个?{_UNIT_ZH}", lambda m, now: _ahead(m[1], m[2], now)),
    _rule(r"未来", lambda m, now: _calendar("day", 1, now)),
    _rule(r"\b(month|year|quarter|week)[ -]to[ -]date\b", lambda m, now: _to_date(m[1], now)),
    _rule(r"\b(mtd|ytd|qtd|wtd)\b", lambda m, now: _to_date(_TO_DATE[m[1]], now)),
    _rule(r"\bso far this (month|year|quarter|week)\b", lambda m, now: _to_date(m[1], now)),
    _rule(r"\bthis (month|year|quarter|week) so far\b", lambda m, now: _to_date(m[1], now)),
    _rule(r"(?:月初至今|本月至今|本月以来|本月累计|当月累计)", lambda m, now: _to_date("month", now)),
    _rule(r"(?:年初至今|今年至今|今年以来|本年至今|年初以来|今年累计)", lambda m, now: _to_date("year", now)),
    _rule(r"(?:季初至今|本季度至今|本季度以来)", lambda m, now: _to_date("quarter", now)),
    _rule(r"(?:本周至今|本周以来)", lambda m, now: _to_date("week", now)),
    _rule(rf"\b(?:the )?(?:year )?{_YEAR}\b(?![-/.]\d)", lambda m, now: _year(m[1], now)),
    _rule(rf"{_YEAR}年(?:全年|度)?", lambda m, now: _year(m[1], now)),
    _rule(rf"\b({_MONTH_EN})\b\.?,? {_YEAR}\b", lambda m, now: _named(m[2], _month_number(m[1]), now)),
    _rule(
        rf"\b({_MONTH_EN})\b\.? (\d\d?)(?:st|nd|rd|th)?,? {_YEAR}\b",
        lambda m, now: _named(m[3], _month_number(m[1]), now, m[2]),
    ),
    _rule(
        rf"\b(\d\d?)(?:st|nd|rd|th)? (?:of )?({_MONTH_EN})\b\.?,? {_YEAR}\b",
        lambda m, now: _named(m[3], _month_number(m[2]), now, m[1]),
    ),
    _rule(
        rf"\b({_MONTH_EN})\b (\d\d?)(?:st|nd|rd|th)?\b",
        lambda m, now: _named(None, _month_number(m[1]), now, m[2])
    ),
    _rule(
        rf"\b(?!may\b)({_MONTH_EN})\b(?! \d)", lambda m, now: _named(None, _month_number(m[1]), now)
    ),
    _rule(r"(?<=\bin )may\b|(?<=\bsince )may\b|(?<=\bof )may\b|(?<=\bfor )may\b"
          r"|(?<=\band )may\b|(?<=\bto )may\b",
          lambda m, now: _named(None, 5, now)),
    _rule(rf"{_YEAR}年({NUMBER_ZH})月份?", lambda m, now: _named(m[1], number(m[2]) or 0, now)),
    _rule(rf"{_YEAR}年({NUMBER_ZH})月({NUMBER_ZH})[日号]",
          lambda m, now: _named(m[1], number(m[2]) or 0, now, str(number(m[3])))),
    _rule(rf"今年({NUMBER_ZH})月份?", lambda m, now: _named(str(now.year), number(m[1]) or 0, now)),
    _rule(rf"去年({NUMBER_ZH})月份?", lambda m, now: _named(str(now.year - 1), number(m[1]) or 0, now)),
    _rule(rf"(?<![个\d一二三四五六七八九十])({NUMBER_ZH})月份?(?!活)",
          lambda m, now: _named(None, number(m[1]) or 0, now)),
    _rule(rf"(?<![个\d一二三四五六七八九十年])({NUMBER_ZH})月({NUMBER_ZH})[日号]",
          lambda m, now: _named(None, number(m[1]) or 0, now, str(number(m[2])))),
    _rule(r"\b((?:19|20)\d\d)-(\d\d)\b(?!-)", lambda m, now: _named(m[1], int(m[2]), now)),
    _rule(r"\b((?:19|20)\d\d)[-/](\d\d?)[-/](\d\d?)\b", lambda m, now: _named(m[1], int(m[2]), now, m[3])),
    _rule(r"\bq([1-4])\b(?! ?(?:of )?\d{4})", lambda m, now: _quarter(None, int(m[1]), now)),
    _rule(rf"\bq([1-4]) ?(?:of )?{_YEAR}\b", lambda m, now: _quarter(m[2], int(m[1]), now)),
    _rule(rf"\b{_YEAR}[ -]?q([1-4])\b", lambda m, now: _quarter(m[1], int(m[2]), now)),
    _rule(
        rf"\b(?:the )?(first|second|third|fourth|1st|2nd|3rd|4th) quarter(?: (?:of )?{_YEAR})?\b",
        lambda m, now: _quarter(m[2], _QUARTERS_EN[m[1]], now),
    ),
    _rule(rf"\b(?:the )?last quarter of {_YEAR}\b", lambda m, now: _quarter(m[1], 4, now)),
    _rule(rf"(?:{_YEAR}年?)?第?([一二三四1-4])季度", lambda m, now: _quarter(m[1], number(m[2]) or 0, now)),
    _rule(r"今年第?([一二三四1-4])季度", lambda m, now: _quarter(str(now.year), number(m[1]) or 0, now)),
    _rule(r"去年第?([一二三四1-4])季度", lambda m, now: _quarter(str(now.year - 1), number(m[1]) or 0, now)),
    _rule(rf"(?:{_YEAR}年|今年)?(上半年|下半年)", lambda m, now: _half(m[1], m[2] == "上半年", now)),
    _rule(rf"\bh([12])(?: {_YEAR})?\b", lambda m, now: _half(m[2], m[1] == "1", now)),
    _rule(r"\b(?:all[ -]time|ever|since the beginning|in total so far)\b",
          lambda m, now: TimeSpan(None, now)),
    _rule(r"(?:有史以来|全部时间|所有时间|历史累计|历史上)", lambda m, now: TimeSpan(None, now)),
)  # fmt: skip
