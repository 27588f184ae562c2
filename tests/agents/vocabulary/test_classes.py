"""Values that mean the same in any project are called by everyday words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agents.analyst.vocabulary import Vocabulary

Meanings = Callable[[Vocabulary, str], set[tuple[str, object]]]


@pytest.mark.parametrize(
    ("column", "known", "said", "meant"),
    [
        ("lesson__status", ["cancelled", "completed"], "called off", "cancelled"),
        ("lesson__status", ["cancelled", "completed"], "已取消", "cancelled"),
        ("lesson__status", ["已取消", "已完成"], "called off", "已取消"),
        # Both are said of either.
        ("lesson__status", ["called off", "cancelled"], "voided", ""),
        # What a value is itself it alone is.
        ("lesson__status", ["shipped", "in transit"], "in transit", "in transit"),
        # No column of genders: the women of a choir's name are not all the women there are.
        ("pupil__pupil_name", ["women", "men"], "ladies", ""),
        ("teacher__city", ["Tokyo", "Lisbon"], "东京", "Tokyo"),
        ("teacher__city", ["东京", "里斯本"], "Lisbon", "里斯本"),
    ],
)
def test_a_value_is_called_by_words_of_its_class(
    column: str, known: list[str], said: str, meant: str, school: Vocabulary, meanings: Meanings
) -> None:
    other = Vocabulary(school.semantic, {column: known})
    found = [value for category, value in meanings(other, said) if category == "value"]
    spelt = {other.value(column, text) for _, text in found}  # type: ignore[misc, attr-defined]
    assert spelt == ({meant} if meant else set())
