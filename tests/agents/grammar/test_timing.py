"""What times come to: cut at now, compared like for like, with notes; what is no period says why."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agents.analyst.grammar.festivals import Festival
from agents.analyst.grammar.spans import Edge, Range, Rolling, Several, Unclear
from agents.analyst.grammar.timing import alike, before, is_running, timing
from agents.analyst.grammar.when import (
    Calendar,
    Latest,
    NoTime,
    Numbered,
    Stretch,
    Unit,
    Weekdays,
    When,
    Year,
)
from agents.analyst.intent import Period

NOW = Calendar(datetime(2026, 11, 21, 11, 0, 30, tzinfo=UTC))
OCTOBER = Latest("year", (("month", 10, 10),))


def period(start: str, end: str) -> Period:
    return Period(start=_moment(start), end=_moment(end))


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def test_what_is_running_ends_with_today_and_it_is_said() -> None:
    found = timing([Unit("month")], NOW)
    assert found.window == period("2026-11-01", "2026-11-22")
    assert [(note.key, note.period) for note in found.notes] == [("running", found.window)]
    assert not timing([Unit("month", -1)], NOW).notes


def test_what_is_compared_with_a_running_period_is_as_many_whole_days_and_the_rest_is_there() -> None:
    found = timing([Unit("month"), Unit("month", -1)], NOW, compared=True)
    assert (found.window, found.against) == (
        period("2026-11-01", "2026-11-21"),
        period("2026-10-01", "2026-10-21"),
    )
    assert found.window_so_far == period("2026-11-01", "2026-11-22")
    assert found.against_whole == period("2026-10-01", "2026-11-01")
    assert [note.key for note in found.notes] == ["alike"]
    over = timing([OCTOBER, Unit("month", -2)], NOW, compared=True)
    assert over.against_whole is None
    assert over.window == period("2026-10-01", "2026-11-01")


def test_what_began_today_is_compared_up_to_this_minute() -> None:
    found = timing([Unit("day")], NOW, compared=True, against="period")
    assert found.window == period("2026-11-21", "2026-11-21T11:01")
    assert found.against == period("2026-11-20", "2026-11-20T11:01")
    monday = Calendar(datetime(2026, 11, 23, 9, 30, tzinfo=UTC))
    week = timing([Unit("week")], monday, compared=True, against="week")
    assert week.against == period("2026-11-16", "2026-11-16T09:31")


def test_a_long_month_is_compared_with_all_of_a_short_one() -> None:
    end_of_march = Calendar(datetime(2026, 3, 31, 12, tzinfo=UTC))
    found = timing([Unit("month")], end_of_march, compared=True, against="period")
    assert found.against == period("2026-02-01", "2026-03-01")
    leap = Calendar(datetime(2024, 3, 1, 12, tzinfo=UTC))
    found = timing([Unit("year")], leap, compared=True, against="year_ago")
    assert found.against == period("2023-01-01", "2023-03-01")


@pytest.mark.parametrize(
    ("given", "how", "expected"),
    [
        (("2026-07-01", "2026-10-01"), "period", ("2026-04-01", "2026-07-01")),
        (("2026-10-01", "2026-11-01"), "period", ("2026-09-01", "2026-10-01")),
        (("2026-11-14", "2026-11-21"), "period", ("2026-11-07", "2026-11-14")),
        (("2026-03-30", "2026-04-01"), "month", ("2026-02-28", "2026-03-01")),
        (("2024-02-29", "2024-03-01"), "year_ago", ("2023-02-28", "2023-03-01")),
        (("2026-10-01", "2026-10-08"), "year", ("2025-10-01", "2025-10-08")),
        (("2026-11-09", "2026-11-16"), "week", ("2026-11-02", "2026-11-09")),
    ],
)
def test_the_period_before(given: tuple[str, str], how: str, expected: tuple[str, str]) -> None:
    assert before(period(*given), how, NOW) == period(*expected)


def test_days_with_a_name_are_compared_by_their_name() -> None:
    found = timing([Festival("spring_festival")], NOW, compared=True, against="year_ago")
    assert found.against == period("2025-01-29", "2025-02-05")
    assert [note.key for note in found.notes] == ["festival"]


def test_what_is_said_without_its_year_is_the_newest_that_has_begun_and_it_is_said() -> None:
    december = Latest("year", (("month", 12, 12),))
    found = timing([december], NOW)
    assert found.window == period("2025-12-01", "2026-01-01")
    assert [(note.key, note.period) for note in found.notes] == [("latest", found.window)]
    ranged = timing([Range(OCTOBER, Unit("day"))], NOW)
    assert [note.key for note in ranged.notes] == ["latest"]
    assert not timing([december.within(Year(2024))], NOW).notes


def test_times_beside_each_other_are_nested_or_refused() -> None:
    this_year, june = Unit("year"), Latest("year", (("month", 6, 6),))
    assert timing([this_year, Edge("before", june)], NOW).window == period("2026-01-01", "2026-06-01")
    assert timing([Unit("year", -1), OCTOBER], NOW).window == period("2025-10-01", "2025-11-01")
    with pytest.raises(NoTime, match="several"):
        timing([OCTOBER, june], NOW)
    both = timing([Several((OCTOBER, june))], NOW)
    assert both.several == (period("2026-06-01", "2026-07-01"), period("2026-10-01", "2026-11-01"))
    assert both.window is None


def test_a_weekday_beside_a_longer_time_is_a_filter() -> None:
    friday = Weekdays(5, 5)
    assert timing([friday], NOW).window == period("2026-11-20", "2026-11-21")
    found = timing([friday, OCTOBER], NOW)
    assert found.where is not None
    assert (found.window, found.where.values) == (period("2026-10-01", "2026-11-01"), (5,))


@pytest.mark.parametrize(
    ("when", "key"),
    [
        (Unit("month", 1), "ahead"),
        (Latest("year", (("month", 11, 11), ("day", 31, 31))), "impossible"),
        (Unclear("fiscal", "FY26"), "fiscal"),
        (Range(Year(2026), Year(2024)), "empty"),
        (Unclear("ambiguous", "10/1", (OCTOBER, Unit("month"))), "ambiguous"),
        (Numbered(53).within(Year(2025)), "impossible"),
    ],
)
def test_what_is_no_period_says_why(when: When, key: str) -> None:
    with pytest.raises(NoTime) as raised:
        timing([when], NOW)
    assert raised.value.key == key
    assert len(raised.value.readings) == {"ahead": 1, "ambiguous": 2}.get(key, 0)


@pytest.mark.parametrize(
    ("week_start", "this_week", "weekend", "first"),
    [
        (0, ("2026-11-16", "2026-11-22"), ("2026-11-14", "2026-11-16"), ("2025-12-29", "2026-01-05")),
        (6, ("2026-11-15", "2026-11-22"), ("2026-11-14", "2026-11-16"), ("2025-12-28", "2026-01-04")),
    ],
)
def test_the_weekday_that_weeks_begin_with_is_a_setting(
    week_start: int, this_week: tuple[str, str], weekend: tuple[str, str], first: tuple[str, str]
) -> None:
    calendar = Calendar(NOW.now, week_start)
    assert timing([Unit("week")], calendar).window == period(*this_week)
    saturday = Weekdays(6, 7).within(Unit("week", -1))
    assert timing([saturday], calendar).window == period(*weekend)
    assert timing([Numbered(1)], calendar).window == period(*first)


def test_pieces_of_months_are_whole_weeks_that_begin_in_them() -> None:
    assert Stretch(OCTOBER, "week", -1, -1).at(NOW) == period("2026-10-26", "2026-11-02")
    assert Stretch(OCTOBER, "weekday 5", 1, 1).at(NOW) == period("2026-10-02", "2026-10-03")
    assert Stretch(OCTOBER, "half_month", 2, 2).at(NOW) == period("2026-10-16", "2026-11-01")


def test_rolling_windows_end_with_today_or_with_what_is_over() -> None:
    assert timing([Rolling("day", 7)], NOW).window == period("2026-11-15", "2026-11-22")
    assert timing([Rolling("month", 3, whole=True)], NOW).window == period("2026-08-01", "2026-11-01")
    assert timing([Rolling("day", 30, until=Latest("month", (("day", 20, 20),)))], NOW).window == period(
        "2026-10-22", "2026-11-21"
    )
    assert [note.key for note in timing([Rolling("day", 7)], NOW).notes] == ["rolling"]


def test_only_what_has_begun_and_is_not_over_is_running() -> None:
    assert is_running(period("2026-11-21", "2026-11-22"), NOW)
    assert not is_running(period("2026-11-20", "2026-11-21"), NOW)
    assert alike(period("2026-09-01", "2026-10-01"), period("2026-10-01", "2026-11-01"), NOW) == (
        period("2026-09-01", "2026-10-01"),
        period("2026-10-01", "2026-11-01"),
    )
