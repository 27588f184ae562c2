"""What people say around a question, how they ask, and what no figure can say, in their own words."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.analyst.grammar.reader import NotUnderstood, Reader, Understood
from agents.analyst.grammar.when import Calendar
from agents.analyst.vocabulary import Vocabulary
from notation import noted

NOW = Calendar(datetime(2026, 11, 21, 11, 0, 30, tzinfo=UTC))
CASES = [
    line.split("\t")
    for path in sorted(Path(__file__).parent.glob("everyday_*.tsv"))
    for line in path.read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]


@pytest.fixture(scope="module")
def reader(vocabulary: Vocabulary) -> Reader:
    return Reader(vocabulary)


@pytest.mark.parametrize(("question", "expected"), CASES, ids=[question for question, _ in CASES])
def test_everyday_words_are_read_as_they_are_meant(reader: Reader, question: str, expected: str) -> None:
    found = reader.read(question, NOW)
    if isinstance(found, NotUnderstood):
        said = f"declined: {found.reason}"
    elif isinstance(found, Understood):
        said = noted(found.reading.intent)
    else:
        said = "asks back"
    assert said == expected
