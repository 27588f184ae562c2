"""Values of dimensions in a question's words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agents.analyst.grammar.words import lattice
from agents.analyst.vocabulary import Vocabulary

Meanings = Callable[[Vocabulary, str], set[tuple[str, object]]]


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("Houston", "teacher__city", "Houston"),
        ("houston", "pupil__city", "Houston"),
        ("Sao Paulo", "teacher__city", "São Paulo"),
        ("SÃO PAULO", "teacher__city", "São Paulo"),
        ("no-show", "lesson__status", "no_show"),
        ("no shows", "lesson__status", "no_show"),
        ("404", "lesson__room_code", "404"),
        ("B-7", "lesson__room_code", "B-7"),
        ("double basses", "teacher__instrument", "Double bass"),
        ("The North Face", "pupil__pupil_name", "The North Face"),
        ("women's choir", "pupil__pupil_name", "Women's choir"),
        ("womens choir", "pupil__pupil_name", "Women's choir"),
    ],
)
def test_a_value_is_found_and_spelt_as_the_warehouse_does(
    text: str, dimension: str, value: str, school: Vocabulary, meanings: Meanings
) -> None:
    found = [meaning for category, meaning in meanings(school, text) if category == "value"]
    (said,) = {said for names, said in found if dimension in names.split("|")}  # type: ignore[misc, attr-defined]
    assert school.value(dimension, said) == value


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("远川医药", "customer__customer_name", "远川医药"),
        ("浦东一仓", "depot__depot_name", "浦东一仓"),
        ("sh-021", "depot__depot_name", "SH-021"),
        ("华东", "depot__city__region", "华东"),
    ],
)
def test_values_in_chinese(
    text: str, dimension: str, value: str, freight: Vocabulary, meanings: Meanings
) -> None:
    found = [meaning for category, meaning in meanings(freight, text) if category == "value"]
    (said,) = {said for names, said in found if dimension in names.split("|")}  # type: ignore[misc, attr-defined]
    assert freight.value(dimension, said) == value


def test_a_value_of_several_dimensions_keeps_them_together(school: Vocabulary, meanings: Meanings) -> None:
    cities = "lesson__pupil__city|lesson__teacher__city|pupil__city|teacher__city"
    assert ("value", (cities, "houston")) in meanings(school, "Houston")


def test_two_spellings_of_one_value_are_asked_for_together(school: Vocabulary) -> None:
    assert school.spellings("teacher__instrument", "piano") == ("Piano", "piano")


@pytest.mark.parametrize(
    ("text", "feature"),
    [("Plus", "value:exact"), ("404", "value:number"), ("A", "value:letter"), ("Top up", "value:exact")],
)
def test_how_a_value_was_found_is_a_feature(text: str, feature: str, school: Vocabulary) -> None:
    words, phrases = lattice(text, school)
    found = next(one for one in phrases if one.category == "value" and one.end == len(words))
    assert feature in found.features
