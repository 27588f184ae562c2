"""A vocabulary over a warehouse: the values that are there, in one reading of each column."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agents.analyst.vocabulary import Vocabulary
from warehouse import WarehouseSettings, connect
from warehouse.semantic import SemanticLayer

Meanings = Callable[[Vocabulary, str], set[tuple[str, object]]]


@pytest.mark.integration
def test_values_of_the_warehouse_are_words(
    commerce: WarehouseSettings, semantic: SemanticLayer, meanings: Meanings
) -> None:
    warehouse = connect(commerce, read_only=True)
    vocabulary = Vocabulary.load(semantic, warehouse)
    for dimension in ("user__country", "product__brand", "user__age_band", "visit__browser"):
        for value in semantic.values(dimension, warehouse)[:50]:
            found = [
                meaning
                for category, meaning in meanings(vocabulary, value)
                if category == "value" and dimension in str(meaning)
            ]
            said = {one[1] for one in found}  # type: ignore[index]
            assert value in {spelling for one in said for spelling in vocabulary.spellings(dimension, one)}
    (german,) = [meaning for category, meaning in meanings(vocabulary, "德国") if category == "value"]
    assert vocabulary.value("user__country", german[1]) == "Germany"  # type: ignore[index]
