"""Counts of what answers were worth, as tables: by set, kind, language; how far confidence can be trusted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import mean

from rich.table import Table

from evaluation.asking import Judged

_NO = "–"


@dataclass(frozen=True)
class Counts:
    """How many questions came to what. `asked` of the answerable: asked back though it was clear."""

    of: Counter[tuple[str, str]]

    @classmethod
    def over(cls, judged: Iterable[Judged]) -> Counts:
        return cls(Counter((one.question.expect, one.grade) for one in judged))

    def all(self, expect: str) -> int:
        return sum(count for (expected, _), count in self.of.items() if expected == expect)

    @property
    def wrong(self) -> int:
        return sum(count for (_, grade), count in self.of.items() if grade == "wrong")

    @property
    def answers(self) -> int:
        """All that were given figures as their answer, be they wrong."""
        return self.wrong + self.of["answer", "right"] + self.of["answer", "poor"]

    @property
    def right_share(self) -> float | None:
        """Of the questions that can be answered, those answered right."""
        return _share(self.of["answer", "right"], self.all("answer"))

    @property
    def wrong_share(self) -> float | None:
        """Of the answers given, those that are wrong."""
        return _share(self.wrong, self.answers)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


_COLUMNS: tuple[tuple[str, Callable[[Counts], str]], ...] = (
    ("answerable", lambda c: _count(c.all("answer"))),
    ("right", lambda c: _count(c.of["answer", "right"])),
    ("poor", lambda c: _count(c.of["answer", "poor"])),
    ("declined", lambda c: _count(c.of["answer", "declined"])),
    ("asked", lambda c: _count(c.of["answer", "asked"])),
    ("failed", lambda c: _count(c.of["answer", "failed"])),
    ("wrong", lambda c: _count(c.of["answer", "wrong"])),
    ("right %", lambda c: _percent(c.right_share)),
    ("to decline", lambda c: _count(c.all("decline"))),
    ("declined", lambda c: _count(c.of["decline", "right"])),
    ("asked", lambda c: _count(c.of["decline", "asked"])),
    ("wrong", lambda c: _count(c.of["decline", "wrong"])),
    ("to ask", lambda c: _count(c.all("ask_back"))),
    ("asked", lambda c: _count(c.of["ask_back", "right"])),
    ("declined", lambda c: _count(c.of["ask_back", "declined"])),
    ("wrong", lambda c: _count(c.of["ask_back", "wrong"])),
    ("wrong % of answers", lambda c: _percent(c.wrong_share)),
)


def table(title: str, judged: Sequence[Judged], by: Callable[[Judged], str]) -> Table:
    """A row of counts for each value of `by`, and one for all."""
    made = Table(title, *(name for name, _ in _COLUMNS), box=None, padding=(0, 1))
    groups = sorted({by(one) for one in judged})
    for group in groups:
        _row(made, group, Counts.over(one for one in judged if by(one) == group))
    if len(groups) > 1:
        _row(made, "all", Counts.over(judged))
    return made


def _row(made: Table, name: str, counts: Counts) -> None:
    made.add_row(name, *(shown(counts) for _, shown in _COLUMNS))


def _count(count: int) -> str:
    return str(count) if count else _NO


def _percent(share: float | None) -> str:
    return _NO if share is None else f"{100 * share:.1f}"


def seconds(judged: Sequence[Judged]) -> Table:
    """What answers and refusals take, in milliseconds."""
    made = Table("ms", "questions", "mean", "p95", "most", box=None)
    for name, kinds in (("answered", ("answered",)), ("not answered", ("declined", "ask_back"))):
        taken = sorted(one.given.seconds * 1e3 for one in judged if one.given.kind in kinds)
        if taken:
            p95 = taken[min(len(taken) - 1, int(0.95 * len(taken)))]
            made.add_row(name, str(len(taken)), *(f"{ms:,.0f}" for ms in (mean(taken), p95, taken[-1])))
    return made


def reliability(pairs: Sequence[tuple[float, bool]]) -> list[tuple[float, float, int, float, float]]:
    """For each tenth of confidence: its bounds, how many answers, their mean confidence, the share right."""
    found = []
    for tenth in range(10):
        low, high = tenth / 10, (tenth + 1) / 10
        there = [pair for pair in pairs if low <= pair[0] < high or (tenth == 9 and pair[0] == 1.0)]
        if there:
            confidence = mean(confidence for confidence, _ in there)
            found.append((low, high, len(there), confidence, mean(right for _, right in there)))
    return found


def reliability_table(judged: Sequence[Judged]) -> Table | None:
    """How often answers of each confidence are right (a poor one has right figures), if they have one."""
    pairs = [
        (one.given.confidence, one.grade in ("right", "poor"))
        for one in judged
        if one.given.kind == "answered" and one.given.confidence is not None
    ]
    if not pairs:
        return None
    made = Table("confidence", "answers", "mean", "right %", box=None)
    for low, high, count, confidence, right in reliability(pairs):
        made.add_row(f"{low:.1f} to {high:.1f}", str(count), f"{confidence:.3f}", f"{100 * right:.1f}")
    return made


def reasons(judged: Sequence[Judged]) -> Table | None:
    """Why questions that can be answered were declined: how often each rule of the reader did it."""
    declined = [one for one in judged if one.question.expect == "answer" and one.given.kind == "declined"]
    counts = Counter((one.given.reason, one.half) for one in declined if one.given.reason)
    if not counts:
        return None
    halves = sorted({half for _, half in counts})
    made = Table("declined for", *halves, box=None)
    for reason in sorted(
        {reason for reason, _ in counts}, key=lambda one: -sum(counts[one, h] for h in halves)
    ):
        made.add_row(reason, *(_count(counts[reason, half]) for half in halves))
    return made


def suggestions(judged: Sequence[Judged]) -> str:
    """How many suggestions of refusals are answered when they are asked."""
    suggested = sum(one.suggested for one in judged)
    refusals = [one for one in judged if one.given.kind == "declined"]
    with_one = sum(bool(one.suggested) for one in refusals)
    return (
        f"{len(refusals)} refusals, {with_one} with suggestions; "
        f"{sum(one.ran for one in judged)} of {suggested} suggestions are answered"
    )
