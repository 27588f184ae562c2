"""Everyday words: verbs ask for metrics, and stand beside those whose rows are such doings."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agents.analyst.grammar.words import lattice
from agents.analyst.vocabulary import Vocabulary

Meanings = Callable[[Vocabulary, str], set[tuple[str, object]]]


def candidates(found: set[tuple[str, object]], category: str) -> set[str]:
    return {name for one, value in found if one == category for name in str(value).split("|")}


@pytest.mark.parametrize(
    ("said", "asked", "money", "count"),
    [
        ("sold", "revenue items_sold", "revenue", "items_sold"),
        ("卖了", "revenue items_sold", "revenue", "items_sold"),
        ("卖出去", "revenue items_sold", "revenue", "items_sold"),
        ("下了", "orders", "", "orders"),
        ("placed", "orders", "", "orders"),
        ("signed up", "signups", "", "signups"),
        ("退了", "items_returned", "", "items_returned"),
        ("被取消掉", "orders_cancelled", "", "orders_cancelled"),
        ("visited", "sessions", "", "sessions"),
        ("跑了", "agent_runs", "", "agent_runs"),
        ("profitable", "gross_margin", "gross_margin", ""),
    ],
)
def test_a_verb_asks_for_what_its_object_is_counted_or_paid_in(
    said: str, asked: str, money: str, count: str, sample: Vocabulary, meanings: Meanings
) -> None:
    found = candidates(meanings(sample, said), "verb")
    assert found == set(asked.split())
    for kind, wanted in (("money", money), ("count", count)):
        assert {name for name in found if sample.kind(name) == kind} == set(wanted.split())


def test_a_verb_means_what_the_project_has(
    school: Vocabulary, freight: Vocabulary, meanings: Meanings
) -> None:
    assert candidates(meanings(school, "taught"), "verb") == {"lessons", "pupils_taught"}
    assert candidates(meanings(school, "billed"), "verb") == {"billed", "invoices"}
    assert candidates(meanings(freight, "发了"), "verb") == {"waybills"}
    assert candidates(meanings(freight, "shipped"), "verb") == {"waybills"}
    assert meanings(school, "sold") == set()


@pytest.mark.parametrize(
    ("said", "beside", "not_beside"),
    [
        # Whatever is bought is ordered.
        ("bought", {"revenue", "orders", "average_order_value"}, {"sessions", "agent_runs"}),
        # These leave others out, so that they say something of any other metric.
        ("returned", {"items_returned"}, {"revenue", "orders", "items_sold"}),
        ("cancelled", {"orders_cancelled"}, {"revenue", "orders"}),
        ("signed up", {"signups"}, {"revenue", "sessions"}),
        ("brought", {"revenue", "sessions", "tokens"}, set()),
        ("users", {"revenue", "sessions", "signups"}, {"agent_runs", "inventory_on_hand"}),
        ("people", {"revenue", "sessions", "signups"}, {"agent_runs", "inventory_on_hand"}),
    ],
)
def test_a_word_stands_beside_metrics_of_which_it_says_nothing_new(
    said: str, beside: set[str], not_beside: set[str], sample: Vocabulary, meanings: Meanings
) -> None:
    found = candidates(meanings(sample, said), "mention")
    assert beside <= found
    assert not not_beside & found


@pytest.mark.parametrize(
    ("said", "meaning"),
    [("students", "pupil"), ("folks", "pupil"), ("people", "pupil"), ("人", "pupil"), ("cooks", "")],
)
def test_things_are_called_by_everyday_words(
    said: str, meaning: str, school: Vocabulary, meanings: Meanings
) -> None:
    assert candidates(meanings(school, said), "entity") == set(meaning.split())


@pytest.mark.parametrize(
    ("said", "metric"),
    [("parcels", "waybills"), ("单量", "waybills"), ("packages", "waybills"), ("运输成本", "")],
)
def test_metrics_are_called_by_everyday_words(
    said: str, metric: str, freight: Vocabulary, meanings: Meanings
) -> None:
    assert candidates(meanings(freight, said), "metric") == set(metric.split())


@pytest.mark.parametrize(
    ("question", "revenue"),
    [
        ("how much did customers spend", True),
        ("上个月用户花了多少钱", True),
        ("how much did we spend", False),
    ],
)
def test_what_people_spend_is_what_the_shop_takes(question: str, revenue: bool, sample: Vocabulary) -> None:
    _, phrases = lattice(question, sample)
    verbs = {name for one in phrases if one.category == "verb" for name in str(one.value).split("|")}
    assert ("revenue" in verbs) is revenue
    assert "agent_cost" in verbs


def test_a_thing_that_is_chosen_is_not_merely_mentioned(sample: Vocabulary) -> None:
    for question, mentioned in (("revenue from customers", True), ("revenue of each customer", False)):
        _, phrases = lattice(question, sample)
        assert any(one.category == "mention" for one in phrases) is mentioned, question


@pytest.mark.parametrize(
    ("said", "end", "metric"),
    [
        ("slowest", "desc", "tool_duration_avg"),
        ("最慢", "desc", "stage_duration_avg"),
        ("fastest", "asc", "tool_duration_avg"),
        ("most reliable", "asc", "tool_failure_rate"),
        ("most reliable", "desc", "run_success_rate"),
        ("best selling", "desc", "items_sold"),
        ("最畅销", "desc", "items_sold"),
    ],
)
def test_a_superlative_says_an_end_of_some_figures(
    said: str, end: str, metric: str, sample: Vocabulary, meanings: Meanings
) -> None:
    found = [value for one, value in meanings(sample, said) if one == "superlative"]
    assert any(one[0] == end and metric in one[1].split("|") for one in found)  # type: ignore[index]


@pytest.mark.parametrize(
    ("said", "category", "metrics"),
    [
        ("跑", "verb", {"waybills"}),
        ("拉了", "verb", {"waybills"}),
        ("how long", "verb", {"hours"}),
        ("多久", "verb", {"hours"}),
        ("lanes", "verb", set()),
        ("punctual", "verb", set()),
    ],
)
def test_a_trade_has_words_for_what_a_project_of_it_has(
    said: str, category: str, metrics: set[str], freight: Vocabulary, meanings: Meanings
) -> None:
    assert candidates(meanings(freight, said), category) == metrics


def test_how_long_is_asked_of_what_tells_how_it_mostly_is(sample: Vocabulary, meanings: Meanings) -> None:
    asked = candidates(meanings(sample, "how long"), "verb")
    assert {"run_duration_avg", "stage_duration_avg", "tool_duration_avg"} <= asked
    assert not {"run_duration_p95", "stage_duration_p95", "tool_duration_sum"} & asked


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("十月走了多少票", {"走", "票"}),
        ("走了几票", {"走", "票"}),
        ("发票多少", set()),
        ("方向如何", set()),
        ("节约了多少", set()),
    ],
)
def test_a_character_is_no_word_within_a_longer_one(
    question: str, words: set[str], freight: Vocabulary
) -> None:
    text, phrases = lattice(question, freight)
    found = {text[one.start].text for one in phrases if one.end <= one.start + 2}
    assert found & {"走", "票", "单", "发", "向", "约"} == words


def test_what_a_longer_verb_says_is_not_said_by_its_beginning(sample: Vocabulary) -> None:
    _, phrases = lattice("what did women bring in", sample)
    assert {one.end for one in phrases if one.category == "mention" and one.start == 3} == {5}


def test_what_is_made_of_a_doing_is_no_doing(sample: Vocabulary) -> None:
    for question, known in (("the log of the runs", False), ("what did the runs log", True)):
        text, phrases = lattice(question, sample)
        light = {text[one.start].text for one in phrases if "light" in one.features}
        assert ("log" in light) is known, question


@pytest.mark.parametrize(
    ("question", "known"), [("cancel the orders of today", False), ("cancelled orders of today", True)]
)
def test_an_order_to_do_something_asks_for_no_figure(question: str, known: bool, sample: Vocabulary) -> None:
    _, phrases = lattice(question, sample)
    assert any(one.start == 0 for one in phrases) is known


@pytest.mark.parametrize(
    ("question", "beside"),
    [
        ("how long do tools take", {"tool_duration_avg", "tool_failures"}),
        ("failures of each tool", set()),
        ("failures by agent and tool", set()),
    ],
)
def test_what_a_figure_is_called_after_may_be_said_beside_it(
    question: str, beside: set[str], sample: Vocabulary
) -> None:
    text, phrases = lattice(question, sample)
    found = {
        name
        for one in phrases
        if one.category == "mention" and text[one.start].key == "tool" and one.end == one.start + 1
        for name in str(one.value).split("|")
    }
    assert beside <= found
    assert bool(found) is bool(beside)


@pytest.mark.parametrize(
    ("said", "metrics"),
    [
        ("takings", "revenue"),
        ("流水", "revenue"),
        ("成交额", "gross_revenue"),
        ("average basket", "average_order_value"),
        # Nobody knows whether it is money or pieces.
        ("basket size", "average_order_value items_per_order"),
        ("生意", "revenue orders gross_margin"),
        ("first-timers", "new_customers"),
        # What the project has a name for itself is that alone.
        ("cogs", "inventory_cost_sold"),
        # It has none of these.
        ("churn rate", ""),
        ("nps", ""),
        ("评分", ""),
    ],
)
def test_a_noun_may_be_a_figure_or_one_of_several(
    said: str, metrics: str, sample: Vocabulary, meanings: Meanings
) -> None:
    assert candidates(meanings(sample, said), "metric") == set(metrics.split())


@pytest.mark.parametrize(
    ("said", "end", "metric", "of", "several"),
    [
        ("best sellers", "desc", "items_sold", "product", True),
        ("best seller", "desc", "items_sold", "product", False),
        ("滞销品", "asc", "items_sold", "product", True),
    ],
)
def test_a_superlative_may_be_a_noun(
    said: str, end: str, metric: str, of: str, several: bool, sample: Vocabulary, meanings: Meanings
) -> None:
    (found,) = [value for one, value in meanings(sample, said) if one == "superlative"]
    assert found == (end, metric, of, True) if several else (end, metric, of)


def test_nothing_is_cheap_without_a_price(sample: Vocabulary) -> None:
    """An average order is no price, though it is called one in Chinese."""
    _, phrases = lattice("cheapest products", sample)
    found = [str(one.value) for one in phrases if one.category == "superlative"]
    assert not any("average_order_value" in one for one in found)
