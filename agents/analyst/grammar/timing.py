"""What the times of a question come to together: one window, two that are compared, several, or a filter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache

from dateutil.relativedelta import relativedelta

from agents.analyst.grammar.festivals import Festival, FestivalOf
from agents.analyst.grammar.spans import Edge, Range, Rolling, Several, Shifted, dated, shifted
from agents.analyst.grammar.when import (
    Calendar,
    Latest,
    NoTime,
    NumberedOf,
    Stretch,
    Unit,
    Weekdays,
    WeekdaysOf,
    When,
    Year,
)
from agents.analyst.intent import AtPart, Period

_WEEKDAYS = 7


@dataclass(frozen=True)
class Note:
    """What a reader has to be told of how a time was read: `latest` (said without its year or month: the
    newest that has begun), `rolling`, `hours`, `festival` (these are the days), `roughly`, `running` (only
    up to now), `alike` (both only as far as whole days of the later one are over).
    """

    key: str
    period: Period


@dataclass(frozen=True)
class Timing:
    """`window` ends with today at the latest. `against` is the earlier period of a comparison; where the
    later one is running both are as many whole days, and `window_so_far` and `against_whole` are all that
    there is of each. `where`: a weekday that was said beside a longer time is one of its days.
    """

    window: Period | None = None
    against: Period | None = None
    several: tuple[Period, ...] = ()
    where: AtPart | None = None
    window_so_far: Period | None = None
    against_whole: Period | None = None
    notes: tuple[Note, ...] = ()


UNTIMED = Timing()


def timing(times: Sequence[When], calendar: Calendar, compared: bool = False, against: str = "") -> Timing:
    """`against`: how much earlier the period is that a figure is compared with: `period` (the one before), a
    unit, or empty; `compared`: two times are one against the other. Raises `NoTime`.
    """
    return _timing(tuple(times), calendar, compared, against)


# The readings of one question have mostly the same times.
@lru_cache(maxsize=256)
def _timing(times: tuple[When, ...], calendar: Calendar, compared: bool, against: str) -> Timing:
    pair = _last_ones(times, calendar) if compared and not against else None
    each = list(pair or (one for time in times for one in _each(time)))
    said, where = (each, None) if pair else _filtered(_together(each), calendar)
    whole = [_begun(one, calendar) for one in said]
    if len(whole) == 2 and not compared and (common := _common(whole)):
        whole = [common]
    notes = tuple(dict.fromkeys(note for one in said for note in _notes(one, calendar)))
    if not whole:
        if against:
            raise NoTime("vague", against)
        return Timing(where=where)
    if len(whole) == 2 and compared:
        if any(one.start is None or one.end is None for one in whole):
            raise NoTime("several")
        earlier, later = sorted(whole, key=_order)
        return _compared(earlier, later, calendar, where, notes)
    if len(whole) > 1:
        # A word between them that was passed over may say another thing than that they are several.
        if against or (len(times) > 1 and said == each):
            raise NoTime("several")
        ordered = sorted((so_far(one, calendar) for one in whole), key=_order)
        running = [one for one in whole if one.end and one.end > calendar.tomorrow]
        notes += tuple(Note("running", so_far(one, calendar)) for one in running)
        return Timing(several=tuple(dict.fromkeys(ordered)), where=where, notes=notes)
    window = whole[0]
    if against:
        earlier = _last_festival(said[0], window, against, calendar) or before(window, against, calendar)
        return _compared(earlier, window, calendar, where, notes)
    cut = so_far(window, calendar)
    if window.end and window.end > calendar.tomorrow:
        notes += (Note("running", cut),)
    return Timing(window=cut, where=where, notes=notes)


def _compared(
    earlier: Period, later: Period, calendar: Calendar, where: AtPart | None, notes: tuple[Note, ...]
) -> Timing:
    one, other = alike(earlier, later, calendar)
    if (one, other) == (earlier, later):
        return Timing(window=later, against=earlier, where=where, notes=notes)
    return Timing(
        window=other,
        against=one,
        where=where,
        window_so_far=so_far(later, calendar),
        against_whole=earlier,
        notes=(*notes, Note("alike", other)),
    )


def so_far(period: Period, calendar: Calendar) -> Period:
    """As much of a period as there is by now: up to the end of today."""
    if period.end and period.end <= calendar.tomorrow:
        return period
    return Period(start=period.start, end=calendar.tomorrow)


def is_running(period: Period, calendar: Calendar) -> bool:
    """Whether it has begun and is not over."""
    return (period.start is None or period.start <= calendar.now) and (
        period.end is None or period.end > calendar.now
    )


def alike(earlier: Period, later: Period, calendar: Calendar) -> tuple[Period, Period]:
    """Both as long as whole days of the later, running one are over; what began today, up to this minute."""
    if not is_running(later, calendar) or later.start is None or earlier.start is None:
        return earlier, later
    minute = calendar.step(calendar.floor(calendar.now, "minute"), "minute")
    end = calendar.today if later.start < calendar.today else minute
    same = earlier.start + relativedelta(end, later.start)
    return (
        Period(start=earlier.start, end=min(same, earlier.end) if earlier.end else same),
        Period(start=later.start, end=end),
    )


def are_apart(one: Period, other: Period) -> bool:
    """Whether neither period has any of the other."""
    first, last = sorted((one, other), key=lambda period: (period.start is not None, period.start))
    return bool(first.end and last.start and first.end <= last.start)


def as_long(one: Period, other: Period) -> bool:
    """Whether they are as long as each other, as months and quarters are."""
    lengths = [end - start for start, end in ((a.start, a.end) for a in (one, other)) if start and end]
    return len(lengths) < 2 or max(lengths) <= min(lengths) * 1.15


def before(period: Period, how: str, calendar: Calendar) -> Period:
    """The period that one is compared with: a unit earlier, or, of `period`, the one right before it."""
    if how != "period":
        unit = "year" if how == "year_ago" else how
        return shifted(period, unit, -1, calendar)
    start, end = period.start, period.end
    if start is None or end is None:
        raise NoTime("empty")
    if start.day == end.day == 1 and calendar.floor(start, "day") == start:
        apart = relativedelta(end, start)
        return shifted(period, "month", -(12 * apart.years + apart.months), calendar)
    return Period(start=start - (end - start), end=start)


def _last_ones(times: Sequence[When], calendar: Calendar) -> tuple[When, When] | None:
    """Two that are compared, where one leaves out what the other says."""
    if len(times) != 2:
        return None
    for one, other in (times, times[::-1]):
        if isinstance(one, Latest) and (same := _completed(one, other)):
            return same, other
        if isinstance(other, Unit | Year) and (same := _of_another(one, other)):
            return same, one
        if isinstance(other, Unit) and _is_before(other, one, calendar):
            return one, dated(one, other) or Shifted(one, other.unit, other.offset)
    return None


def _of_another(one: When, frame: When) -> When | None:
    """The same part of another year: last year's 11 November, against this year."""
    if not isinstance(one, FestivalOf | Stretch | WeekdaysOf | NumberedOf) or one.of == frame:
        return None
    of = frame if one.of.size == frame.size else _of_another(one.of, frame)
    return replace(one, of=of) if of else None


def _completed(one: Latest, by: When) -> When | None:
    """H1 against H2 2025: the year is of both, unless they are the same half; the second half of October
    against the first half.
    """
    if by.size == "half_month" and one.size == "half":
        one = Latest("month", (("half_month", *one.parts[-1][1:]),))
    if by.size != one.size:
        return None
    if isinstance(by, Stretch):
        found = dated(one, _frame(by, one.of_unit))
        return found if found != by else None
    if isinstance(by, Latest) and len(by.parts) > len(one.parts):
        return replace(by, parts=(*by.parts[: -len(one.parts)], *one.parts))
    return None


def _is_before(frame: Unit, when: When, calendar: Calendar) -> bool:
    """Last year before October, not before this year: a year is compared with a year."""
    if frame.offset >= 0 or isinstance(when, Several):
        return False
    one, other = when.at(calendar), frame.at(calendar)
    if not (one.start and one.end and other.start and other.end):
        return False
    return one.start >= other.end and one.end - one.start < (other.end - other.start) * 0.9


def _frame(when: When, size: str) -> When:
    """The time of this size that a part is of."""
    while isinstance(when, Stretch) and when.size != size:
        when = when.of
    return when


def _last_festival(when: When, window: Period, against: str, calendar: Calendar) -> Period | None:
    """A day with a name is not on the same date each year."""
    if not isinstance(when, Festival | FestivalOf) or against not in ("year", "year_ago") or not window.start:
        return None
    return Festival(when.name, when.day).preceding(calendar.step(window.start, "day", -1), calendar)


def _each(when: When) -> tuple[When, ...]:
    return when.of if isinstance(when, Several) else (when,)


def _together(said: list[When]) -> list[When]:
    """Each time that recurs with the year, month or week that is named beside it: October, of this year and
    of last year.
    """
    for size in ("year", "month", "week"):
        frames = [one for one in said if one.size == size]
        others = [one for one in said if one.size != size]
        inside = [found for one in others for frame in frames if (found := dated(one, frame))]
        if frames and len(inside) == len(others) * len(frames) > 0:
            # This year, before June: its beginning stays.
            return (
                [*inside, *frames]
                if any(isinstance(one, Edge | Range) and _open(one) for one in others)
                else inside
            )
    rolling = [one for one in said if isinstance(one, Rolling)]
    until = [one.last for one in said if isinstance(one, Range) and one.first is None]
    if len(said) == 2 and rolling and until:
        return [replace(rolling[0], until=until[0])]
    return said


def _open(when: Edge | Range) -> bool:
    return isinstance(when, Edge) or when.first is None or when.last is None


def _filtered(said: list[When], calendar: Calendar) -> tuple[list[When], AtPart | None]:
    """A weekday beside longer times is a filter."""
    days = [one for one in said if isinstance(one, Weekdays) and not one.past]
    others = [one for one in said if one not in days]
    if not days or not others or any(_short(one, calendar) or _of_weekday(one) for one in others):
        return said, None
    values = {(one.first - 1 + n) % 7 + 1 for one in days for n in range((one.last - one.first) % 7 + 1)}
    return others, AtPart(part="weekday", values=tuple(sorted(values)))


def _of_weekday(when: When) -> bool:
    """Until Friday."""
    ends = (
        (when.first, when.last) if isinstance(when, Range) else (when.of,) if isinstance(when, Edge) else ()
    )
    return any(isinstance(end, Weekdays) for end in ends)


def _short(when: When, calendar: Calendar) -> bool:
    period = when.at(calendar)
    return bool(period.start and period.end and (period.end - period.start).days <= _WEEKDAYS)


def _begun(when: When, calendar: Calendar) -> Period:
    period = when.at(calendar)
    if period.start and period.start > calendar.now:
        raise NoTime("ahead", readings=(period,))
    return period


def _common(periods: Sequence[Period]) -> Period | None:
    """What they have in common where one is open: this year, before June."""
    start = max((one.start for one in periods if one.start), default=None)
    end = min((one.end for one in periods if one.end), default=None)
    if start and end and start >= end:
        return None
    open_ended = any(one.start is None or one.end is None for one in periods)
    common = Period(start=start, end=end)
    # One that adds nothing to the other was said for another reason: 8月 ... through October.
    return common if open_ended and common not in periods else None


def _order(period: Period) -> tuple[bool, float]:
    return period.start is not None, period.start.timestamp() if period.start else 0.0


def _notes(when: When, calendar: Calendar) -> Iterator[Note]:
    """Of the whole expression: since October is told as a whole, not its October."""
    if when.assumes:
        yield Note(when.assumes, when.at(calendar))
        return
    for field in fields(when):  # type: ignore[arg-type]
        inside = getattr(when, field.name)
        if isinstance(inside, When):
            yield from (Note(note.key, when.at(calendar)) for note in _notes(inside, calendar))
