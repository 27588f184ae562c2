"""The sets of questions: what is asked, what is to become of it, and gold answers as SQL."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, model_validator

from evaluation.projects import PROJECTS, SETS

Half = Literal["development", "heldout"]
HALVES: tuple[Half, ...] = ("development", "heldout")


class Gold(BaseModel):
    """One right answer: keys first, then figures; ratios 0..1, unrounded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sql: str
    ordered: bool = False


class Question(BaseModel):
    """`gold`: any of them is right. `readings` of what must be asked back, `why` of what must be declined."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    language: Literal["en", "zh"]
    kind: str
    question: str
    expect: Literal["answer", "decline", "ask_back"]
    gold: tuple[Gold, ...] = ()
    readings: tuple[str, ...] = ()
    why: str = ""

    @model_validator(mode="after")
    def _has_gold(self) -> Question:
        if (self.expect == "answer") != bool(self.gold):
            raise ValueError("gold is what makes a question answerable, and nothing else does")
        return self


def sets() -> tuple[str, ...]:
    return tuple(PROJECTS)


def halves(name: str) -> tuple[Half, ...]:
    """Which halves a set has: `saas` nobody develops on."""
    return tuple(half for half in HALVES if (SETS / name / f"{half}.yml").is_file())


def load(name: str, half: Half, kinds: Sequence[str] = (), sample: int = 0) -> list[Question]:
    """A set's half, of these kinds only; `sample`: only so many, the same each time."""
    read = yaml.load((SETS / name / f"{half}.yml").read_text("utf-8"), Loader=yaml.CSafeLoader)
    questions = TypeAdapter(list[Question]).validate_python(read)
    found = [question for question in questions if not kinds or question.kind in kinds]
    return random.Random(0).sample(found, sample) if 0 < sample < len(found) else found
