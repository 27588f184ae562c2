"""The names that are offered for one that is not known."""

from __future__ import annotations

from warehouse.names import nearest

NAMES = {"revenue": 1, "gross_revenue": 2, "orders": 3, "average_order_value": 4}


def test_a_misspelt_name_is_offered_the_names_that_it_resembles_best_first() -> None:
    assert nearest("revnue", NAMES, 5) == ["revenue", "gross_revenue"]
    assert nearest("avg_order_value", NAMES, 1) == ["average_order_value"]


def test_a_name_like_no_other_is_offered_none() -> None:
    assert nearest("wages", NAMES, 5) == []
    assert nearest("", NAMES, 5) == []
