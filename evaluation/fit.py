"""`python -m evaluation fit`: weights of readings and of confidence from the development questions, as data.

Which of a question's readings are good is seen by their rows, which are compared with the gold's. Further
questions may come in a file, each with the intents that are its meaning: `--further FILE`, a JSON object a
line, `project`, `question` and `intents`, none where it is not to be answered.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict
from rich.console import Console

from agents.analyst.grammar import confidence as shipped
from agents.analyst.grammar.reader import Reading, shipped_weights
from agents.analyst.intent import Intent
from evaluation.analysts import Read, ahead, shown
from evaluation.asking import GoldRows
from evaluation.fitting import Candidate, cross_validated, logistic, ranked, scored, weight
from evaluation.grading import Given, grade
from evaluation.projects import NOW, ROOT
from evaluation.questions import Question
from evaluation.tally import reliability
from warehouse.errors import TidemarkError

_GRAMMAR = ROOT / "agents" / "analyst" / "grammar"
_PAGE = ROOT / "docs" / "calibration.md"
_TRIED = 6
_WANTED = 0.99
# Of fewer answers no share as fine as that can be told.
_FEWEST = 50
_MOVED = 0.05
_SURENESS = (
    "# What each signal of a reading adds to the confidence in it, in log odds; see docs/calibration.md.\n"
)


class Further(BaseModel):
    """A question whose meaning is known without a run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    project: str
    question: str
    intents: tuple[Intent, ...]


@dataclass(frozen=True)
class Tried:
    """A question's best readings, each with whether it is right. `answerable`: one of them may be;
    `answers`: it is not asked back.
    """

    title: str
    question: str
    answerable: bool
    readings: Sequence[Reading]
    good: Sequence[bool]
    answers: bool


def tried(questions: Sequence[Question], asker: Read, golds: GoldRows) -> Iterator[Tried]:
    """Each question's readings, run."""
    for question in questions:
        gold = [(golds.of(one), one.ordered) for one in question.gold]
        readings, answers = _read(asker, question.question)
        given = [_given(asker, reading) for reading in readings]
        good = [grade(one, question.expect, gold) in ("right", "poor") for one in given]
        title = f"{question.id} {question.kind} {question.expect}"
        yield Tried(title, question.question, question.expect == "answer", readings, good, answers)


def further(path: Path, project: str, asker: Read) -> Iterator[Tried]:
    """The readings of a project's questions in a file of such with known meanings."""
    for at, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        one = Further.model_validate_json(line)
        if one.project == project:
            readings, answers = _read(asker, one.question)
            good = [reading.intent in one.intents for reading in readings]
            yield Tried(f"{path.name}:{at}", one.question, bool(one.intents), readings, good, answers)


def _read(asker: Read, question: str) -> tuple[Sequence[Reading], bool]:
    try:
        return asker.readings(question, NOW)[:_TRIED], asker.answers(question, NOW)
    except Exception as error:  # A fault of the reader's own costs one question.
        print(f"{type(error).__name__}: {error}: {question}", file=sys.stderr, flush=True)
        return (), False


def _given(asker: Read, reading: Reading) -> Given:
    try:
        return Given("answered", rows=asker.rows_of(reading.intent, NOW))
    except TidemarkError:
        return Given("declined")
    except Exception as error:  # A fault of the compiler's own costs one reading.
        print(f"{type(error).__name__}: {error}: {shown(reading.intent)}", file=sys.stderr, flush=True)
        return Given("failed")


def fit(found: Sequence[Tried], console: Console, write: bool) -> None:
    """Fit both kinds of weights; print how often the best reading is good by either's, and the curve."""
    questions = [
        [Candidate(reading.features, good) for reading, good in zip(one.readings, one.good, strict=True)]
        for one in found
        if one.answerable
    ]
    before = shipped_weights()
    after = ranked(questions, before)
    possible = sum(any(one.good for one in candidates) for candidates in questions)
    console.print(
        f"{len(questions)} answerable, {sum(map(bool, questions))} with readings, {possible} of them good: "
        f"the best {_firsts(questions, before)} times before, {_firsts(questions, after)} after"
    )
    answered = [one for one in found if one.answers]
    rows = [shipped.signals(one.readings[0].features, ahead(one.readings)) for one in answered]
    right = [one.good[0] for one in answered]
    curve = reliability(list(zip(cross_validated(rows, right), right, strict=True)))
    page = _page(curve, sorted(zip(cross_validated(rows, right), right, strict=True)))
    console.print(page, markup=False)
    if write:
        ranking, sureness = _GRAMMAR / "weights.yml", _GRAMMAR / "confidence.yml"
        ranking.write_text(written(ranking.read_text("utf-8"), after), "utf-8")
        sureness.write_text(written(_SURENESS, logistic(rows, right)), "utf-8")
        _PAGE.write_text(page, "utf-8")


def show(one: Tried, console: Console) -> None:
    """A question's readings, whether their rows are right, and what sets each apart from the first."""
    console.rule(one.title, align="left")
    lines = [one.question]
    first = one.readings[0]
    for reading, good in zip(one.readings, one.good, strict=True):
        lines.append(f"{'+' if good else '-'} {reading.score:.2f} {shown(reading.intent)}")
        apart = {
            name: reading.features.get(name, 0) - first.features.get(name, 0)
            for name in sorted({*reading.features, *first.features})
        }
        lines += [f"    {', '.join(f'{name} {by:+}' for name, by in apart.items() if by)}"] * (
            reading != first
        )
    console.print("\n".join(lines), markup=False, highlight=False)


def _firsts(questions: Sequence[Sequence[Candidate]], weights: dict[str, float]) -> int:
    return sum(
        max(candidates, key=lambda one: scored(weights, one.features)).good
        for candidates in questions
        if candidates
    )


def written(text: str, weights: Mapping[str, float]) -> str:
    """A file of weights with these in it: comments stay, and what hardly moved; new ones go last."""
    old = {str(name): float(value) for name, value in (yaml.safe_load(text) or {}).items()}
    lines = text.splitlines()
    for at, line in enumerate(lines):
        name = line.rpartition(": ")[0]
        if name in old and name in weights and abs(weights[name] - old[name]) >= _MOVED:
            lines[at] = _line(name, weights[name])
    new = {name: value for name, value in weights.items() if name not in old}
    lines += [
        _line(name, value) for name, value in sorted(new.items()) if abs(value - weight(old, name)) >= _MOVED
    ]
    return "\n".join([*lines, ""])


def _line(name: str, value: float) -> str:
    return yaml.safe_dump({name: round(value, 2)}).strip()


def _page(curve: Sequence[tuple[float, float, int, float, float]], sure: Sequence[tuple[float, bool]]) -> str:
    lines = [
        "# Confidence in an answer",
        "",
        "What an answer's confidence is worth: of the answers to the questions it was fitted on, those",
        "of each tenth of confidence and how many of them are right, each judged by weights that were",
        "fitted on the other nine tenths (`python -m evaluation fit`).",
        "",
        "| confidence | answers | mean confidence | right |",
        "| --- | --- | --- | --- |",
        *(
            f"| {low:.1f} to {high:.1f} | {count} | {mean:.3f} | {right:.1%} |"
            for low, high, count, mean, right in curve
        ),
        "",
    ]
    threshold = _threshold(sure)
    if threshold is None:
        lines.append(f"No threshold leaves {_FEWEST} answers or more of which {_WANTED:.0%} are right.")
    else:
        kept = [right for chance, right in sure if chance >= threshold]
        lines.append(
            f"From a confidence of {threshold:.3f} on {sum(kept)} of {len(kept)} answers are right, "
            f"of all {sum(right for _, right in sure)} of {len(sure)}."
        )
    return "\n".join([*lines, ""])


def _threshold(sure: Sequence[tuple[float, bool]]) -> float | None:
    """The lowest confidence from which on so many of the answers are right as are wanted."""
    for at, (chance, _) in enumerate(sure[: max(0, len(sure) - _FEWEST + 1)]):
        kept = [right for _, right in sure[at:]]
        if sum(kept) >= _WANTED * len(kept):
            return chance
    return None
