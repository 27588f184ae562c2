"""What a metric's figures are, where nobody has said so."""

from __future__ import annotations

import pytest

from agents.analyst.vocabulary import Vocabulary

SCHOOL = {
    "lessons": "count",
    "lessonFees": "money",
    "average_delay": "duration",
    "pupils_taught": "count",
    "billed": "money",
    "lessons_cancelled": "count",
    "cancelled_share": "ratio",
    "fee_per_lesson": "money",
    "unbilled": "money",
    "fees_so_far": "money",
}
FREIGHT = {
    "waybills": "count",
    "freight": "money",
    "refusals": "ratio",
    "hours": "duration",
    # The middle of weights is no number of anything.
    "middle": "unknown",
    "freight_each": "money",
}


@pytest.mark.parametrize(("project", "kinds"), [("school", SCHOOL), ("freight", FREIGHT)])
def test_kinds_without_units(project: str, kinds: dict[str, str], request: pytest.FixtureRequest) -> None:
    vocabulary: Vocabulary = request.getfixturevalue(project)
    assert {name: vocabulary.kind(name) for name in kinds} == kinds


def test_kinds_by_units(sample: Vocabulary) -> None:
    by_unit = {"USD": "money", "count": "count", "ratio": "ratio", "ms": "duration", "days": "duration"}
    for metric in sample.semantic.metrics.values():
        assert sample.kind(metric.name) == by_unit[metric.unit], metric.name
