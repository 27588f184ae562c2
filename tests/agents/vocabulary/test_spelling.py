"""Misspelt words: put right where it is certain, said, and left alone otherwise."""

from __future__ import annotations

import pytest

from agents.analyst.grammar.words import lattice, shipped
from agents.analyst.vocabulary import Vocabulary


def corrections(vocabulary: Vocabulary, question: str) -> dict[str, str]:
    text, words = lattice(question, shipped(), vocabulary)
    return dict(
        feature.removeprefix("spelling:").split(">")
        for phrase in vocabulary.spelt(text, words)
        for feature in phrase.features
        if feature.startswith("spelling:")
    )


@pytest.mark.parametrize(
    ("question", "meant"),
    [
        ("orders in ocotber by contry", {"ocotber": "october", "contry": "country"}),
        ("averge order valeu", {"averge": "average", "valeu": "value"}),
        ("orders by ditsribution center", {"ditsribution": "distribution"}),
        ("十月的退货律", {"律": "率"}),
        ("注册用护有多少", {"护": "户"}),
        ("毛力率", {"力": "利"}),
    ],
)
def test_what_was_meant_is_found(question: str, meant: dict[str, str], sample: Vocabulary) -> None:
    assert corrections(sample, question) == meant


@pytest.mark.parametrize(
    "question",
    [
        # Words of English that the project does not have.
        "revenue of coats and hosts",
        "costumer satisfaction",
        "profit by gander",
        # Too short to tell.
        "agr of usr",
        # Two words are as near: nobody knows which.
        "ordesr of stete",
        "SKU zxcvbnmq",
        "客户满意度",
    ],
)
def test_what_is_not_certain_stays_unknown(question: str, sample: Vocabulary) -> None:
    wrong = {"coats": "costs", "hosts": "costs", "costumer": "customer", "gander": "gender", "agr": "age"}
    found = corrections(sample, question)
    assert not set(found) & set(wrong)
    assert not set(found) & {"usr", "zxcvbnmq", "满", "意", "度"}


def test_values_are_put_right_after_names(school: Vocabulary) -> None:
    assert corrections(school, "lessons in Huoston") == {"huoston": "houston"}
    assert corrections(school, "lessons of Violn") == {"violn": "violin"}


def test_one_name_is_never_made_into_another(school: Vocabulary) -> None:
    """Page and Paul, pupil and pupils: what is a word of the project is what was meant."""
    for known in ("city", "teacher", "lessons", "piano", "Cork", "Page"):
        assert corrections(school, f"lessons of {known}") == {}


def test_the_correction_is_a_phrase_like_any_other(sample: Vocabulary) -> None:
    text, words = lattice("averge order valeu", shipped(), sample)
    (whole,) = [
        one
        for one in sample.spelt(text, words)
        if (one.start, one.end) == (0, 3) and one.value == "average_order_value"
    ]
    assert set(whole.features) >= {"name:label", "spelling:averge>average", "spelling:valeu>value"}


def test_a_name_in_latin_letters_is_said_in_chinese(school: Vocabulary) -> None:
    vocabulary = Vocabulary(school.semantic, {"teacher__city": ["Guangdong", "Shanghai"]})
    text, words = lattice("广东的 lessons", shipped(), vocabulary)
    (found,) = vocabulary.spelt(text, words)
    assert found.category == "value"
    assert "spelling:广东>guangdong" in found.features


def test_a_name_in_chinese_is_said_in_latin_letters(freight: Vocabulary) -> None:
    text, words = lattice("waybills to shanghai", shipped(), freight)
    found = [one for one in (*words, *freight.spelt(text, words)) if one.category == "value"]
    [(dimensions, said)] = [one.value for one in found]
    assert dimensions == "depot__city__city_name|to_city__city_name"
    assert freight.value("to_city__city_name", said) == "上海"
