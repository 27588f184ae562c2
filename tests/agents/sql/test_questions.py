"""Questions over a project that is not ours: the rows of their answers are those of SQL written by hand."""

from __future__ import annotations

import pytest

from agents.analyst.answering import Answered, Answering
from agents.analyst.grammar.when import Calendar
from agents.analyst.vocabulary import Vocabulary
from asked import Project, same_rows

pytestmark = pytest.mark.integration

PLACED = """analytics.rides_raw as r left join analytics.stations_raw as s on s.station_id = r.station_id
    left join analytics.cities_raw as c on c.city_id = s.city_id"""


@pytest.fixture(scope="module")
def answering(shop: Project) -> Answering:
    return Answering(Vocabulary.load(shop.layer, shop.warehouse), shop.warehouse)


CASES = [
    (
        "rides in Flanders by kind",
        f"select r.kind, count() from {PLACED} where c.region = 'Flanders' group by r.kind",
    ),
    (
        "how many rides in February 2026?",
        "select countIf(toStartOfMonth(date) = '2026-02-01') from analytics.rides_raw",
    ),
    (
        "top 2 cities by rides",
        f"select c.name, count() n from {PLACED} where c.name != '' group by 1 order by n desc limit 2",
    ),
]


@pytest.mark.parametrize(("question", "sql"), CASES, ids=[question for question, _ in CASES])
def test_an_answer_is_what_was_asked_for(
    question: str, sql: str, answering: Answering, shop: Project
) -> None:
    found = answering.answer(question, Calendar(shop.now))
    assert isinstance(found, Answered), found
    same_rows(found.rows, shop.sql(sql))


@pytest.mark.parametrize(
    "question", ["bikes at North station on 1 February", "which station has most bikes now"]
)
def test_a_thing_of_the_project_is_no_everyday_word_for_a_figure(
    question: str, answering: Answering, shop: Project
) -> None:
    found = answering.answer(question, Calendar(shop.now))
    # Docks are no stations where there are stations.
    assert "docks" not in repr(found)
