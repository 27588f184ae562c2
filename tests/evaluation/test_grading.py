"""What an answer is worth beside a gold: tables of rows and grades."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from evaluation.grading import Given, compared, grade

MONTHS = [[date(2026, 9, 1), 10], [date(2026, 10, 1), 12], [date(2026, 11, 1), 7]]
BRANDS = [["Acme", 30.0], ["Bolt", 20.0], ["Crow", 10.0]]


def given(*rows: list[Any], text: str = "") -> Given:
    return Given("answered", rows=rows, text=text)


@pytest.mark.parametrize(
    ("rows", "gold", "ordered", "worth"),
    [
        # One figure, however it is typed; sums of floats differ in their last digits.
        ([[1234.5]], [[Decimal("1234.50")]], False, "right"),
        ([[0.1 + 0.2]], [[0.3]], False, "right"),
        ([[1234]], [[1235]], False, "wrong"),
        ([[-12.0]], [[12.0]], False, "wrong"),
        ([[0]], [[None]], False, "wrong"),
        ([[0]], [[0.0]], False, "right"),
        # Further columns do no harm, wherever they stand.
        ([["Acme", 30.0, 0.5]], [["Acme", 30.0]], False, "right"),
        ([[10, 12, 2, 0.2]], [[2]], False, "right"),
        # Spelling of keys: case, dates of buckets, weekdays by name, truth by number, none by any name.
        ([["acme ", 30.0]], [["Acme", 30]], False, "right"),
        ([["2026-09-01T00:00:00", 10]], [[date(2026, 9, 1), 10]], False, "right"),
        ([[datetime(2026, 9, 1), 10]], [["2026-09-01", 10]], False, "right"),
        ([["Monday", 5]], [[1, 5]], False, "right"),
        ([["周日", 5]], [[7, 5]], False, "right"),
        ([[True, 5]], [[1, 5]], False, "right"),
        ([["", 5]], [[None, 5]], False, "right"),
        ([["2026-09", 10]], [[date(2026, 9, 1), 10]], False, "right"),
        # All names otherwise spelled; but none of them is another row's.
        ([["weekends", 5], ["weekdays", 9]], [[True, 5], [False, 9]], False, "right"),
        ([["1-15 Nov 2025", 5], ["1-15 Nov 2026", 9]], [[2025, 5], [2026, 9]], False, "right"),
        ([["weekends", 5], ["weekdays", 8]], [[True, 5], [False, 9]], False, "wrong"),
        ([["all", 5], ["all", 9]], [["a", 5], ["b", 9]], False, "wrong"),
        # A figure beside another's name.
        ([["Acme", 20.0], ["Bolt", 30.0]], [["Acme", 30.0], ["Bolt", 20.0]], False, "wrong"),
        ([["Acme", 20.0], ["Bolt", 30.0], ["Crow", 10.0]], BRANDS, False, "wrong"),
        # Order, only where it matters; rows with the same figure stand as they like.
        (BRANDS[::-1], BRANDS, False, "right"),
        (BRANDS[::-1], BRANDS, True, "poor"),
        ([["B", 2.0], ["A", 2.0], ["C", 1.0]], [["A", 2.0], ["B", 2.0], ["C", 1.0]], True, "right"),
        # A tie at the end of a ranking: either row.
        ([["Acme", 30.0], ["Crow", 20.0]], [["Acme", 30.0], ["Bolt", 20.0]], True, "right"),
        ([["Acme", 30.0], ["Crow", 19.0]], [["Acme", 30.0], ["Bolt", 20.0]], True, "wrong"),
        # What was asked for stands first and more follows; or it does not.
        (BRANDS, BRANDS[:1], True, "poor"),
        (BRANDS[::-1], BRANDS[:1], True, "wrong"),
        (BRANDS, BRANDS[:1], False, "wrong"),
        # Rows that are missing, or too many: a few of many, those of no value, those that are 0.
        (BRANDS[:2], BRANDS, True, "wrong"),
        ([[f"b{n}", n] for n in range(1, 10)], [[f"b{n}", n] for n in range(1, 11)], False, "poor"),
        ([[f"b{n}", n] for n in range(1, 12)], [[f"b{n}", n] for n in range(1, 11)], False, "poor"),
        ([*BRANDS, [None, 4.0]], BRANDS, False, "poor"),
        (BRANDS, [*BRANDS, ["Dorn", 0]], False, "poor"),
        # Time buckets without anything in them may be shown or not.
        ([*MONTHS, [date(2026, 12, 1), 0]], MONTHS, False, "right"),
        (MONTHS, [*MONTHS, [date(2026, 12, 1), 0]], False, "right"),
        ([*MONTHS, [date(2026, 8, 1), 3]], MONTHS, False, "wrong"),
        # Another unit for all figures alike.
        ([[45.0]], [[0.45]], False, "poor"),
        ([["run", 1.5], ["chat", 0.5]], [["run", 1500.0], ["chat", 500.0]], False, "poor"),
        ([["run", 1.5], ["chat", 500.0]], [["run", 1500.0], ["chat", 500.0]], False, "wrong"),
        # The figure of another.
        ([["Bolt", 30.0]], [["Acme", 30.0]], False, "wrong"),
        # A figure asked for besides is missing.
        (BRANDS, [[*row, 0.1 * at] for at, row in enumerate(BRANDS)], False, "poor"),
        ([["Acme", 30.0, 7.0]], [["Acme", 30.0, 20.0]], False, "wrong"),
        ([[1962, 18335, -16373]], [[1962, 1862]], False, "wrong"),
        # Two figures side by side or one below the other.
        ([[10.0, 12.0, 2.0]], [["China", 10.0], ["Japan", 12.0]], False, "right"),
        ([["China", 10.0], ["Japan", 12.0]], [[10.0, 12.0]], False, "right"),
        ([[10.0]], [["China", 10.0], ["Japan", 12.0]], False, "wrong"),
        # Nothing at all.
        ([], [[5]], False, "wrong"),
        ([[None]], [], False, "right"),
    ],
)
def test_rows_beside_a_gold(rows: list[Any], gold: list[Any], ordered: bool, worth: str) -> None:
    assert compared(given(*rows), gold, ordered) == worth


def test_whose_figure_it_is_may_be_said_in_the_text() -> None:
    gold = [["Acme", 30.0]]
    assert compared(given([30.0]), gold, False) == "poor"
    assert compared(given([30.0], text="ACME sold 30 units."), gold, False) == "right"


def test_any_of_several_golds_will_do() -> None:
    golds = [([[5.0]], False), ([["a", 2.0], ["b", 3.0]], False)]
    assert grade(given(["a", 2.0], ["b", 3.0]), "answer", golds) == "right"
    assert grade(given([500.0]), "answer", golds) == "poor"
    assert grade(given([6.0]), "answer", golds) == "wrong"


@pytest.mark.parametrize(
    ("came", "expect", "worth"),
    [
        (Given("declined"), "answer", "declined"),
        (Given("declined"), "decline", "right"),
        (Given("declined"), "ask_back", "declined"),
        (Given("ask_back", readings=("a", "b")), "answer", "asked"),
        (Given("ask_back", readings=("a", "b")), "decline", "asked"),
        (Given("ask_back", readings=("a", "b")), "ask_back", "right"),
        # Asking back without saying what could be meant is no question.
        (Given("ask_back", readings=("a",)), "ask_back", "declined"),
        (given([5]), "decline", "wrong"),
        (given([5]), "ask_back", "wrong"),
        # That there is no data is said by no row or by no figure, not by a 0.
        (given(), "decline", "right"),
        (given(["Denver", None]), "decline", "right"),
        (given([0]), "decline", "wrong"),
        (given(), "ask_back", "wrong"),
        (Given("failed"), "answer", "failed"),
        (Given("failed"), "decline", "failed"),
    ],
)
def test_refusals_and_questions_back(came: Given, expect: str, worth: str) -> None:
    golds = [([[5.0]], False)] if expect == "answer" else []
    assert grade(came, expect, golds) == worth
