"""Two things of one name are two: in rows, in counts, in averages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import pytest

from agents.analyst.grammar.reader import Reader, Understood
from agents.analyst.grammar.telling import told_apart
from agents.analyst.grammar.when import Calendar
from agents.analyst.intent import By, CountOf, Intent, Mean, MetricOf
from agents.analyst.vocabulary import Vocabulary
from notation import noted
from warehouse.semantic import SemanticLayer

NOW = Calendar(datetime(2026, 11, 21, 11, tzinfo=UTC))
PRODUCTS = {"product__product_name": ["Slim jeans", "Plain tee"]}
CASES = {
    "top 3 products by revenue": "revenue | by product, product__product_name | desc revenue 3",
    "revenue by brand": "revenue | by product__brand",
    "revenue of Slim jeans": "revenue | where product__product_name=Slim jeans",
}


def shared(naming: Iterable[tuple[str, str]]) -> Mapping[str, Mapping[str, int]]:
    return {name: {"Slim jeans": 2} for name, _ in naming if name.endswith("product_name")}


@pytest.fixture(scope="module")
def reader(semantic: SemanticLayer) -> Reader:
    return Reader(Vocabulary(semantic, PRODUCTS, shared))


@pytest.mark.parametrize("question", CASES)
def test_things_of_one_name_are_told_apart_by_their_key(reader: Reader, question: str) -> None:
    found = reader.read(question, NOW)
    assert isinstance(found, Understood), found
    assert noted(found.reading.intent) == CASES[question]


def test_a_label_that_is_asked_for_as_one_is_meant_itself(semantic: SemanticLayer) -> None:
    name = "product__product_name"
    asked = Intent(measures=(MetricOf(name="revenue"),), groups=(By(dimension=name),))
    known = Vocabulary(semantic, PRODUCTS, shared)
    assert told_apart(asked, known, {name}) == asked
    assert known.is_thing(name)
    assert not known.is_thing("product__brand")


def test_names_that_are_all_different_tell_things_apart(semantic: SemanticLayer) -> None:
    found = Reader(Vocabulary(semantic, PRODUCTS)).read("top 3 products by revenue", NOW)
    assert isinstance(found, Understood)
    assert noted(found.reading.intent) == "revenue | by product__product_name | desc revenue 3"


def test_they_are_counted_and_averaged_by_their_key(semantic: SemanticLayer) -> None:
    name = "product__product_name"
    count = CountOf(of=name, among="orders")
    mean = Mean(of=MetricOf(name="revenue"), per=By(dimension=name))
    apart = told_apart(Intent(measures=(count, mean)), Vocabulary(semantic, PRODUCTS, shared))
    assert apart.measures == (
        CountOf(of="product", among="orders"),
        Mean(of=MetricOf(name="revenue"), per=By(dimension="product")),
    )
