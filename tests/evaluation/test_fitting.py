"""Fitted weights rank readings and say how sure one may be, on outcomes whose law is known."""

from __future__ import annotations

import math
import random
from datetime import datetime
from pathlib import Path
from typing import Any

from agents.analyst.grammar.confidence import confidence
from agents.analyst.grammar.reader import Reading
from agents.analyst.intent import Intent, MetricOf
from evaluation.fit import Further, further, written
from evaluation.fitting import Candidate, cross_validated, logistic, ranked, scored
from evaluation.tally import reliability


def outcomes(count: int) -> tuple[list[dict[str, float]], list[bool]]:
    """Signals and outcomes of a known law: sure with a margin, unsure with corrections."""
    dice = random.Random(3)
    rows = [{"margin": dice.uniform(0, 3), "spelling": float(dice.random() < 0.3)} for _ in range(count)]
    chances = [1 / (1 + math.exp(-(-1 + 2 * row["margin"] - 1.5 * row["spelling"]))) for row in rows]
    return rows, [dice.random() < chance for chance in chances]


def test_the_law_behind_the_outcomes_is_found() -> None:
    rows, right = outcomes(4000)
    found = logistic(rows, right)
    assert abs(found["intercept"] + 1) < 0.3
    assert abs(found["margin"] - 2) < 0.3
    assert abs(found["spelling"] + 1.5) < 0.3


def test_what_is_always_right_is_no_certainty() -> None:
    found = logistic([{"margin": 1.0}] * 20, [True] * 20)
    assert 0.9 < confidence({"margin": 1.0}, found) < 1.0


def test_confidence_in_what_was_not_seen_is_how_often_it_is_right() -> None:
    rows, right = outcomes(4000)
    for low, high, count, mean, share in reliability(
        list(zip(cross_validated(rows, right), right, strict=True))
    ):
        assert low <= mean <= high
        assert abs(mean - share) < 3.5 * math.sqrt(mean * (1 - mean) / count) + 0.01


def test_a_good_reading_comes_to_stand_over_the_others() -> None:
    questions = [
        [
            Candidate({"rule:value": 1, "word:metric": 1}, good=True),
            Candidate({"rule:mention": 1, "word:metric": 1}, good=False),
        ],
        [
            Candidate({"rule:value": 1, "spelling:orders": 1}, good=False),
            Candidate({"rule:mention": 1}, good=True),
        ],
        [Candidate({"rule:unseen": 1}, good=False)],
    ]
    start = {"rule": -0.1, "word": -1.0}
    found = ranked(questions, start)
    for candidates in questions[:2]:
        best = max(candidates, key=lambda one: scored(found, one.features))
        assert best.good
    # What all readings of a question have alike tells nothing, what no question tells of stays as it was.
    assert "word:metric" not in found
    assert "rule:unseen" not in found
    assert found["rule"] == -0.1


def test_weights_that_rank_well_stay() -> None:
    start = {"a": 1.0, "b": -1.0}
    questions = [[Candidate({"a": 1}, good=True), Candidate({"b": 1}, good=False)]]
    assert ranked(questions, start) == start


def test_a_file_of_weights_keeps_its_comments_and_what_has_not_moved() -> None:
    text = "# What each is worth.\nrule: -0.1\n# Not too dear.\nword:number: -0.5\ninside: -0.6\n"
    moved = {"rule": -0.1, "word:number": -0.52, "inside": -0.3, "rule:top": 0.4, "rule:by": -0.1}
    assert written(text, moved) == text.replace("inside: -0.6", "inside: -0.3") + "rule:top: 0.4\n"


def test_no_weight_moves_far_from_what_it_was_set_to() -> None:
    questions = [[Candidate({"farther": 1}, good=True), Candidate({"nearer": 1}, good=False)]] * 50
    found = ranked(questions, {"farther": -0.4, "nearer": 0.4}, rounds=200, margin=5.0)
    assert -0.11 <= found["farther"] <= -0.09
    assert 0.09 <= found["nearer"] <= 0.11


def test_a_question_of_a_file_is_good_where_a_reading_is_one_of_its_intents(tmp_path: Path) -> None:
    revenue, orders = (Intent(measures=(MetricOf(name=name),)) for name in ("revenue", "orders"))

    class Asker:
        def readings(self, question: str, now: datetime) -> list[Reading]:
            return [Reading(revenue, -1.0, {}, ()), Reading(orders, -2.0, {}, ())]

        def answers(self, question: str, now: datetime) -> bool:
            return True

    asked = (
        Further(project="shop", question="how many orders", intents=(orders,)),
        Further(project="clinic", question="of another project", intents=(revenue,)),
        Further(project="shop", question="why", intents=()),
    )
    file = tmp_path / "more.jsonl"
    file.write_text("".join(one.model_dump_json() + "\n" for one in asked), "utf-8")
    asker: Any = Asker()
    found = list(further(file, "shop", asker))
    assert [(one.question, list(one.good), one.answerable) for one in found] == [
        ("how many orders", [False, True], True),
        ("why", [False, False], False),
    ]
