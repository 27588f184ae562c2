"""What questions mean: questions in two languages beside the metric queries that they must become."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from agents.analyst.linker import Declined, Linker, Plan
from warehouse.clickhouse import DIALECT
from warehouse.semantic import SemanticLayer

NOW = datetime(2026, 11, 21, 11, 0, 30, tzinfo=UTC)
SHOP = Path(__file__).parents[1] / "warehouse" / "fixtures" / "shop.yaml"
TABLE = Path(__file__).parent / "fixtures" / "questions.tsv"
CASES = [
    tuple(line.split("\t"))
    for line in TABLE.read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def describe(plan: Plan | Declined) -> str:
    """A plan in one line: metrics [by items] [where filters] [in range] [against range] [order] [limit]."""
    if isinstance(plan, Declined):
        return "declined"
    query = plan.query
    parts = [", ".join(query.metrics)]
    if query.group_by:
        parts.append(f"by {', '.join(query.group_by)}")
    for one in query.filters:
        parts.append(f"where {one.dimension} {one.op} {', '.join(map(str, one.values))}")
    if query.time_range:
        parts.append(
            "in {:%Y-%m-%d %H:%M}..{:%Y-%m-%d %H:%M}".format(*query.time_range).replace(" 00:00", "")
        )
    if plan.previous:
        parts.append("against {:%Y-%m-%d}..{:%Y-%m-%d}".format(*plan.previous))
    shape = plan.shape
    if shape.share:
        parts.append(f"share {shape.share_of}".strip())
    if shape.average_per:
        parts.append(f"average per {shape.average_per}")
    if shape.growth:
        parts.append("growth")
    parts += [f"having {one.metric} {one.op} {one.value:g}" for one in shape.thresholds]
    if query.order_by and not query.order_by[0][0].startswith("metric_time"):
        parts.append("order {} {}".format(*query.order_by[0]))
    if query.limit:
        parts.append(f"limit {query.limit}")
    return " | ".join(parts)


@pytest.mark.parametrize(("question", "expected"), CASES, ids=[question for question, _ in CASES])
def test_question_is_linked_to_its_query(linker: Linker, question: str, expected: str) -> None:
    assert describe(linker.link(question, NOW)) == expected


@pytest.mark.parametrize(
    ("question", "language", "words"),
    [
        ("What is our churn prediction for next year?", "en", "future"),
        ("员工的平均工资是多少？", "zh", "没有与问题匹配的指标"),
        ("revenue of Mars in 2019 by astronaut", "en", "mars, astronaut"),
        ("revenue by hour yesterday", "en", "by day"),
        ("days of inventory by country", "en", "cannot be split"),
        ("newsletter conversions", "en", "several things: Traffic source (user), Channel (visit)"),
        ("下周的收入", "zh", "未来"),
        ("ยอดขายเดือนที่แล้ว", "en", "language"),
        ("", "en", "empty"),
        ("revenue by country " * 200, "en", "3,800 characters long; at most 2,000"),
        ("drop table users", "en", "nothing is ever written"),
    ],
)  # fmt: skip
def test_refusal_says_why_and_what_can_be_asked(
    linker: Linker, question: str, language: str, words: str
) -> None:
    declined = linker.link(question, NOW)
    assert isinstance(declined, Declined)
    assert words in declined.reason
    assert declined.nearest
    for near in declined.nearest:
        again = linker.link(near.example, NOW)
        assert isinstance(again, Plan), near.example
        assert again.query.metrics == (near.name,)


def test_a_name_that_three_models_share_is_not_chosen_by_the_alphabet(tmp_path: Path) -> None:
    manifest = yaml.safe_load(SHOP.read_text(encoding="utf-8"))
    for model in manifest["semantic_models"][:3]:
        model["dimensions"].append({"name": "name", "type": "categorical"})
    path = tmp_path / "semantic_manifest.json"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    linker = Linker(
        SemanticLayer.load(path, DIALECT), lambda dimension: ["Anna"] * dimension.endswith("__name")
    )
    for question in ("revenue by name", "revenue of Anna"):
        declined = linker.link(question, NOW)
        assert isinstance(declined, Declined), question
        assert "Name (order item), Name (product), Name (user)" in declined.reason
    told = linker.link("revenue by user name", NOW)
    assert isinstance(told, Plan)
    assert told.query.group_by == ("user__name",)


def test_assumptions_are_said_in_the_language_of_the_question(linker: Linker) -> None:
    plan = linker.link("Average order value of customers in Brazil, last quarter", NOW)
    assert isinstance(plan, Plan)
    assert "last quarter = 2026-07-01 .. 2026-10-01 UTC" in plan.assumptions
    assert any("Brasil" in note for note in plan.assumptions)
    chinese = linker.link("本季度的收入", NOW)
    assert isinstance(chinese, Plan)
    assert "本季度 = 2026-10-01 .. 2027-01-01（UTC）" in chinese.assumptions


def test_domain_limits_what_is_understood(linker: Linker) -> None:
    assert isinstance(linker.link("revenue last month", NOW, domain="agents"), Declined)
    assert isinstance(linker.link("tool calls today", NOW, domain="agents"), Plan)


def test_a_word_that_binds_the_answer_is_never_dropped(linker: Linker) -> None:
    for question in (
        "revenue by planet",
        "revenue from Mars last month",
        "median revenue by country",
        "火星的销售额",
    ):
        assert isinstance(linker.link(question, NOW), Declined), question
