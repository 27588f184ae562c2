"""What a project's things are called, on projects with and without words of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agents.analyst.vocabulary import Vocabulary

Meanings = Callable[[Vocabulary, str], set[tuple[str, object]]]

TEACHERS = "lesson__teacher__full_name|teacher__full_name"
PUPILS = "lesson__pupil__pupil_name|pupil__pupil_name"

SCHOOL = [
    # Labels, names, what stands beside a name in its label.
    ("Fees (pounds)", "metric", "lessonFees"),
    ("fees", "metric", "lessonFees"),
    ("lesson fees", "metric", "lessonFees"),
    ("billed", "metric", "billed"),
    ("billed amount", "metric", "billed"),
    ("cancelled lessons", "metric", "lessons_cancelled"),
    ("average fee per lesson", "metric", "fee_per_lesson"),
    ("room code", "dimension", "lesson__room_code"),
    # One word for several things.
    ("city", "dimension", "lesson__pupil__city|lesson__teacher__city|pupil__city|teacher__city"),
    ("status", "dimension", "invoice__status|lesson__status"),
    # The same said of one.
    ("teacher's city", "dimension", "lesson__teacher__city|teacher__city"),
    ("city of the teacher", "dimension", "lesson__teacher__city|teacher__city"),
    ("City (teacher)", "dimension", "lesson__teacher__city|teacher__city"),
    ("pupil city", "dimension", "lesson__pupil__city|pupil__city"),
    ("pupils' cities", "dimension", "lesson__pupil__city|pupil__city"),
    ("invoice status", "dimension", "invoice__status"),
    # A thing, what it is called, and its key.
    ("teacher", "dimension", TEACHERS),
    ("teachers", "entity", "teacher"),
    ("pupils", "dimension", PUPILS),
    ("name of the pupil", "dimension", PUPILS),
    ("pupil name", "dimension", PUPILS),
    ("pupil id", "entity", "pupil"),
    ("lessons", "entity", "lesson"),
    ("lessons", "metric", "lessons"),
]
FREIGHT = [
    ("运单量", "metric", "waybills"),
    ("运单数", "metric", "waybills"),
    ("运单总数", "metric", "waybills"),
    ("运单", "metric", "waybills"),
    ("拒收率", "metric", "refusals"),
    ("拒收比例", "metric", "refusals"),
    ("客户", "dimension", "customer__customer_name"),
    ("客户名", "dimension", "customer__customer_name"),
    ("仓库", "dimension", "depot__depot_name"),
    ("大区", "dimension", "depot__city__region|to_city__region"),
]
SAMPLE = [
    ("销售额", "metric", "revenue"),
    ("銷售額", "metric", "revenue"),
    ("country", "dimension", "user__country"),
    ("country of the user", "dimension", "user__country"),
    ("cancelled orders", "metric", "orders_cancelled"),
]


@pytest.mark.parametrize(("text", "category", "meaning"), SCHOOL)
def test_names_of_a_project_with_labels_alone(
    text: str, category: str, meaning: str, school: Vocabulary, meanings: Meanings
) -> None:
    assert (category, meaning) in meanings(school, text)


@pytest.mark.parametrize(("text", "category", "meaning"), FREIGHT)
def test_names_of_a_project_in_chinese(
    text: str, category: str, meaning: str, freight: Vocabulary, meanings: Meanings
) -> None:
    assert (category, meaning) in meanings(freight, text)


@pytest.mark.parametrize(("text", "category", "meaning"), SAMPLE)
def test_names_of_the_sample(
    text: str, category: str, meaning: str, sample: Vocabulary, meanings: Meanings
) -> None:
    assert (category, meaning) in meanings(sample, text)


def test_a_form_of_a_name_never_takes_what_another_thing_is_called(
    freight: Vocabulary, school: Vocabulary, meanings: Meanings
) -> None:
    # The region of a depot is that of its city; the city of a lesson is nobody's.
    assert ("dimension", "depot__city__region") in meanings(freight, "depot region")
    assert meanings(school, "lesson description") == set()


@pytest.mark.parametrize("project", ["school", "freight", "sample"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_a_thing_is_called_is_read_back_as_that_thing(
    project: str, language: str, meanings: Meanings, request: pytest.FixtureRequest
) -> None:
    vocabulary: Vocabulary = request.getfixturevalue(project)
    semantic = vocabulary.semantic
    for name in semantic.metrics:
        assert ("metric", name) in meanings(vocabulary, vocabulary.phrase(name, language)), name
    for name in semantic.entities:
        assert ("entity", name) in meanings(vocabulary, vocabulary.phrase(name, language)), name
    for metric in semantic.metrics.values():
        for name in metric.dimensions:
            said = vocabulary.phrase(name, language)
            found = next(str(value) for one, value in meanings(vocabulary, said) if one == "dimension")
            nearest, *others = vocabulary.resolve(found, [metric.name])
            first, column = (semantic.dimensions[one] for one in (nearest.name, name))
            assert (first.table, first.expression) == (column.table, column.expression), said
            assert not others or others[0].distance > nearest.distance, said


def test_labels_that_collide_are_told_apart(school: Vocabulary, freight: Vocabulary) -> None:
    assert school.phrase("teacher__city", "en") == "City (teacher)"
    assert school.phrase("teacher__instrument", "en") == "Instrument"
    # The city that a waybill goes to is nearer to it than that of its depot.
    assert freight.phrase("to_city__region", "zh") == "大区"
    assert freight.phrase("depot__city__region", "zh") == "大区 (depot)"


@pytest.mark.parametrize(
    ("said", "metrics"),
    [
        ("failure rate", {"run_failure_rate", "tool_failure_rate"}),
        ("失败率", {"run_failure_rate", "tool_failure_rate"}),
        ("cost", {"agent_cost", "inventory_cost_sold", "run_cost"}),
        ("calls", {"model_calls", "tool_calls"}),
        ("failures", {"stage_failures", "tool_failures"}),
        # What leaves others out is no mere addition.
        ("revenue", {"revenue"}),
        ("orders", {"orders"}),
        ("month to date", set()),
        ("spend", set()),
        ("page views", set()),
        ("退款率", set()),
    ],
)
def test_the_end_of_a_name_names_all_that_end_so(
    said: str, metrics: set[str], sample: Vocabulary, meanings: Meanings
) -> None:
    found = {str(value) for one, value in meanings(sample, said) if one == "metric"}
    assert {name for value in found for name in value.split("|")} == metrics
