"""Asks a set's questions, one after the other, and judges what comes back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from evaluation.grading import Given, Grade, grade
from evaluation.projects import NOW
from evaluation.questions import Gold, Half, Question
from warehouse import Warehouse
from warehouse.errors import TidemarkError


class Asker(Protocol):
    """Someone who was given one project."""

    def ask(self, question: str, now: datetime) -> Given:
        """Answer, decline or ask back. What it raises is its failure."""


@dataclass(frozen=True)
class Judged:
    """A question, what came back and what it is worth. `suggested`: how many suggestions came with it;
    `ran`: how many of them were answered when they were asked.
    """

    of: str
    half: Half
    question: Question
    given: Given
    grade: Grade
    gold: tuple[Any, ...] = ()
    suggested: int = 0
    ran: int = 0


class GoldRows:
    """The rows of gold answers, kept beside the data that they were read from."""

    def __init__(self, warehouse: Warehouse, file: Path) -> None:
        self._warehouse, self._file = warehouse, file
        self._kept: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.is_file() else {}

    def of(self, gold: Gold) -> Any:
        key = hashlib.sha256(gold.sql.encode()).hexdigest()
        if key not in self._kept:
            rows = self._warehouse.query(gold.sql).rows
            self._kept[key] = json.loads(json.dumps(rows, default=_plain))
        return self._kept[key]

    def keep(self) -> None:
        self._file.write_text(json.dumps(self._kept), "utf-8")


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else float(value)


def judged(
    of: str, half: Half, questions: Sequence[Question], asker: Asker, golds: GoldRows
) -> Iterator[Judged]:
    """Each question with what its answer is worth; each suggestion is asked in its turn, once."""
    answered: dict[str, bool] = {}
    for question in questions:
        gold = tuple((golds.of(one), one.ordered) for one in question.gold)
        given = _asked(asker, question.question)
        for suggestion in given.suggestions:
            if suggestion not in answered:
                answered[suggestion] = _asked(asker, suggestion).kind == "answered"
        yield Judged(
            of,
            half,
            question,
            given,
            grade(given, question.expect, gold),
            gold,
            len(given.suggestions),
            sum(answered[suggestion] for suggestion in given.suggestions),
        )


def _asked(asker: Asker, question: str) -> Given:
    try:
        return asker.ask(question, NOW)
    except TidemarkError as error:
        return Given("failed", text=f"{type(error).__name__}: {error}")
    except Exception as error:  # A fault of the reader's own is one question's, not the whole evaluation's.
        return Given("failed", text=f"{type(error).__name__}: {error!r}")
