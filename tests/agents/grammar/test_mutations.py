"""What is put into a question, or replaced in it, changes what it means, or it is declined: nothing is lost
in silence. The mutations are drawn over the questions of the table, in both languages.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.analyst.grammar.reader import Reader, Understood
from agents.analyst.grammar.when import Calendar
from agents.analyst.vocabulary import Vocabulary
from notation import noted

NOW = Calendar(datetime(2026, 11, 21, 11, 0, 30, tzinfo=UTC))
LINES = Path(__file__).with_name("readings.tsv").read_text("utf-8").splitlines()
READ = [line.split("\t") for line in LINES if not line.startswith("#") and not line.endswith("\tdeclined")]
# No pause, and not listed.
SIGNS = ("@", "^", "№", "±", "÷", "→", "½", "≠", "🚗", "α", "*")
# Each says another thing than the question, whatever that is.
WORDS = (
    "unless",
    "excluding",
    "except",
    "predicted",
    "expected",
    "second",
    "twice",
    "neither",
    "翻倍的",
    "预计",
    "除了",
    "乘以",
)
OPPOSITES = (
    ("top", "bottom"), ("highest", "lowest"), ("above", "below"), ("last", "this"), ("before", "since"),
    ("最高", "最低"), ("最多", "最少"), ("超过", "低于"), ("上个月", "本月"), ("上周", "本周"),
)  # fmt: skip
# Mutated questions of a part; a second or so.
TRIED = 150


def mutations(question: str, values: dict[str, str], chance: random.Random) -> Iterator[str]:
    spots = [
        match.start() for match in re.finditer(r"(?<= )\S|(?<=[\u4e00-\u9fff])[\u4e00-\u9fff]", question)
    ]
    for put in (
        chance.choice(SIGNS),
        chance.choice(WORDS),
        chance.choice([one for one in values if one not in question]),
    ):
        at = chance.choice([*spots, len(question)])
        yield f"{question[:at]} {put} {question[at:]}"
    for pair in OPPOSITES:
        for one, other in (pair, pair[::-1]):
            pattern = rf"\b{one}\b" if one.isascii() else one
            if re.search(pattern, question):
                yield re.sub(pattern, other, question, count=1)
    for one in values:
        if one in question:
            yield question.replace(
                one, chance.choice([other for other in values if values[other] != values[one]])
            )
    if number := re.search(r"(?<![\d.,:/-])\d{1,3}(?![\d.,:/-])", question):
        yield f"{question[: number.start()]}{int(number[0]) + 1}{question[number.end() :]}"


@pytest.mark.parametrize("part", range(4))
def test_nothing_that_is_put_into_a_question_is_dropped_in_silence(part: int, vocabulary: Vocabulary) -> None:
    values = {
        "Germany": "country",
        "China": "country",
        "Search": "source",
        "Jeans": "category",
        "concierge": "agent",
    }
    reader, chance = Reader(vocabulary), random.Random(part)
    same: list[str] = []
    tried = 0
    for question, meant in READ[part::4]:
        if meant.startswith("asks"):
            continue
        for mutated in mutations(question, values, chance):
            found = reader.read(mutated, NOW)
            tried += 1
            if isinstance(found, Understood) and noted(found.reading.intent) == meant:
                same.append(f"{question}\n  {mutated}")
        if tried >= TRIED:
            break
    assert tried >= 75
    assert not same, "\n".join(same)
