"""Which of the things that one word names a metric has."""

from __future__ import annotations

import pytest

from agents.analyst.vocabulary import Choice, Vocabulary


@pytest.mark.parametrize(
    ("candidates", "metrics", "choices"),
    [
        # Its own table first.
        (
            "invoice__status|lesson__status",
            ["invoices"],
            [Choice("invoice__status", 0), Choice("lesson__status", 1)],
        ),
        # Two of the same distance: somebody has to be asked.
        ("pupil__city|teacher__city", ["lessons"], [Choice("pupil__city", 1), Choice("teacher__city", 1)]),
        # What all have, as far away as from the farthest.
        ("lesson__status", ["lessons", "invoices"], [Choice("lesson__status", 1)]),
        # A lesson has several invoices: no figure of lessons can be had by them, and that is another reason
        # than not being there at all.
        ("invoice__status|lesson__status", ["lessons"], [Choice("lesson__status", 0)]),
        ("invoice__reason", ["lessons"], [Choice("invoice__reason", 0, fans_out=True)]),
        # Things.
        ("teacher", ["lessons"], [Choice("teacher", 0)]),
        ("teacher", ["invoices"], [Choice("teacher", 1)]),
        ("invoice", ["lessons"], [Choice("invoice", 0, fans_out=True)]),
    ],
)
def test_candidates_of_a_metric(
    candidates: str, metrics: list[str], choices: list[Choice], school: Vocabulary
) -> None:
    assert school.resolve(candidates, metrics) == choices


def test_a_column_of_its_own_is_one_thing_by_whatever_key(sample: Vocabulary) -> None:
    found = sample.resolve("customer__first_ordered_on|user__first_ordered_on", ["new_customers"])
    assert [choice.distance for choice in found] == [0]


def test_rows_of_a_metric_have_a_thing(school: Vocabulary) -> None:
    assert school.has_entity("invoices", "teacher")
    assert not school.has_entity("lessons", "invoice")
    assert school.has_entity("lessons", "invoice|pupil")
