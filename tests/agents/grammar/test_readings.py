"""Everyday questions about the sample are read as what they say; what it cannot answer is declined."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.analyst.grammar.reader import Reader, Understood
from agents.analyst.grammar.when import Calendar
from agents.analyst.vocabulary import Vocabulary
from notation import noted

NOW = Calendar(datetime(2026, 11, 21, 11, 0, 30, tzinfo=UTC))
LINES = Path(__file__).with_name("readings.tsv").read_text("utf-8").splitlines()
CASES = [line.split("\t") for line in LINES if not line.startswith("#")]


@pytest.fixture(scope="module")
def reader(vocabulary: Vocabulary) -> Reader:
    return Reader(vocabulary)


@pytest.mark.parametrize(("question", "expected"), CASES, ids=[question for question, _ in CASES])
def test_a_question_is_read_as_what_it_says(reader: Reader, question: str, expected: str) -> None:
    found = reader.read(question, NOW)
    assert (noted(found.reading.intent) if isinstance(found, Understood) else "declined") == expected
