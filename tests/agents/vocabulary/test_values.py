"""Values of dimensions in a question's words."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from agents.analyst.grammar.words import lattice
from agents.analyst.vocabulary import Vocabulary
from agents.analyst.vocabulary.kept import Refreshed

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
        ("華東", "depot__city__region", "华东"),
        ("台北", "to_city__city_name", "臺北"),
        ("臺北", "to_city__city_name", "臺北"),
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


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("paid", "true"),
        ("unpaid", "false"),
        ("not paid", "false"),
    ],
)
def test_a_yes_and_a_no_are_called_by_what_they_say(
    text: str, value: str, school: Vocabulary, meanings: Meanings
) -> None:
    assert read(school, meanings, text, "lesson__is_paid") == {value}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Okafor", "Dr Ada Okafor"),
        ("Dr Ada", "Dr Ada Okafor"),
        # Two have that name.
        ("Page", ""),
    ],
)
def test_a_part_of_a_name_that_only_one_has(
    text: str, value: str, school: Vocabulary, meanings: Meanings
) -> None:
    assert read(school, meanings, text, "teacher__full_name") == ({value} if value else set())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Germany", "Germany"),
        ("Germans", "Germany"),
        ("德国", "Germany"),
        ("Deutschland", "Germany"),
        ("Brazil", "Brasil"),
        ("巴西", "Brasil"),
        ("British", "United Kingdom"),
        ("the UK", ""),
        ("UK", "United Kingdom"),
        ("French", "France"),
        ("法国", "France"),
    ],
)
def test_countries_are_known_in_both_languages(
    text: str, value: str, school: Vocabulary, meanings: Meanings
) -> None:
    """In a project that says nothing of them."""
    countries = ["Germany", "France", "Brasil", "United Kingdom", "Elsewhere"]
    vocabulary = Vocabulary(school.semantic, {"teacher__city": countries})
    assert read(vocabulary, meanings, text, "teacher__city") == ({value} if value else set())


def test_codes_and_languages_are_known_too(school: Vocabulary, meanings: Meanings) -> None:
    vocabulary = Vocabulary(
        school.semantic, {"teacher__city": ["DE", "FR", "US"], "pupil__city": ["English", "Polish", "Urdu"]}
    )
    assert read(vocabulary, meanings, "Germany", "teacher__city") == {"DE"}
    assert read(vocabulary, meanings, "美国", "teacher__city") == {"US"}
    assert read(vocabulary, meanings, "波兰语", "pupil__city") == {"Polish"}
    assert read(school, meanings, "德国", "teacher__city") == set()


def test_values_are_read_again_in_the_background(school: Vocabulary) -> None:
    old, new = {"teacher__city": ["Cork"]}, {"teacher__city": ["Cork", "Sligo"]}
    made, go = iter([old]), threading.Event()

    def read_values() -> dict[str, list[str]]:
        return next(made, None) or (go.wait(10) and new) or {}

    refreshed = Refreshed(read_values, seconds=0)
    # The old ones are given while the new ones are made.
    assert (refreshed.get(), refreshed.get()) == (old, old)
    go.set()
    until = time.monotonic() + 10
    while refreshed.get() == old and time.monotonic() < until:
        time.sleep(0.01)
    assert refreshed.get() == new


def read(vocabulary: Vocabulary, meanings: Meanings, text: str, dimension: str) -> set[str]:
    """The warehouse's values of one dimension that a text may be."""
    found = [
        str(said) for category, (names, said) in values(meanings(vocabulary, text)) if dimension in names
    ]
    return {spelling for said in found for spelling in vocabulary.spellings(dimension, said)}


def values(found: set[tuple[str, object]]) -> list[tuple[str, tuple[str, str]]]:
    return [(category, meaning) for category, meaning in found if category == "value"]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("signed for", "已签收"),
        ("on the way", "运输中"),
        ("还在路上", "运输中"),
        ("turned away", "拒收"),
        ("east china", ""),
    ],
)
def test_what_columns_say_is_known_in_everyday_words_of_both_languages(
    said: str, value: str, freight: Vocabulary, meanings: Meanings
) -> None:
    found = {
        freight.value(*map(str, meaning))
        for category, meaning in meanings(freight, said)
        if category == "value" and isinstance(meaning, tuple)
    }
    assert found == ({value} if value else set())
