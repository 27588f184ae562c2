"""What a metric's figures are, where nobody has said so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agents.analyst.vocabulary import Vocabulary
from agents.analyst.vocabulary.kinds import unit, worse

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


@pytest.mark.parametrize(
    ("metric", "worse"),
    [
        *((name, "high") for name in ("return_rate", "run_duration_avg", "agent_cost", "orders_cancelled")),
        *((name, "low") for name in ("revenue", "gross_margin_rate", "conversion_rate", "orders")),
    ],
)
def test_at_which_end_a_figure_is_bad(metric: str, worse: str, sample: Vocabulary) -> None:
    assert sample.worse(metric) == worse


def test_what_counts_and_what_names_a_thing(sample: Vocabulary, school: Vocabulary) -> None:
    assert (sample.counts("order"), sample.counts("visit"), sample.counts("product")) == (
        "orders",
        "sessions",
        None,
    )
    # The pupils of the lessons are not all the pupils there are.
    assert (school.counts("lesson"), school.counts("pupil")) == ("lessons", None)
    assert (sample.naming("product"), sample.naming("user")) == ("product__product_name", None)
    assert (school.naming("teacher"), school.naming("lesson")) == ("teacher__full_name", None)


def test_a_unit_at_the_end_of_a_label_is_the_metrics_own(freight: Vocabulary) -> None:
    metric = replace(freight.semantic.metrics["hours"], label="Average wait (minutes)", unit="")
    assert unit(metric) == "minutes"


def test_a_score_is_bad_where_it_is_low(freight: Vocabulary) -> None:
    metric = replace(
        freight.semantic.metrics["middle"], label="Satisfaction score", label_zh="", name="score"
    )
    assert worse(metric, "number") == "low"
