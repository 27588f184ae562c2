"""The best reading of a question: among all overlapping matches, the path that explains it with the
longest ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from agents.analyst.grammar.text import SYMBOLS, Unit, fold, units
from agents.analyst.linker import signals, thresholds, times
from agents.analyst.linker.signals import Signal
from agents.analyst.linker.times import TimeSpan
from agents.analyst.linker.vocabulary import Meaning, Vocabulary

_BEFORE_VALUE = frozenset(("in", "from", "of", "for", "the", "vs", "versus", "excluding", "except", "via"))
_A_PERIOD = re.compile(r" (?:per|a|each|every) (?:hour|day|week|month|quarter|year)\b")
Content = frozenset[Meaning] | TimeSpan | Signal | None


@dataclass(frozen=True)
class Arc:
    """A stretch of units read as one thing: names, a time range, a signal, or None without a meaning."""

    start: int
    end: int
    text: str
    content: Content

    @property
    def names(self) -> frozenset[Meaning]:
        return self.content if isinstance(self.content, frozenset) else frozenset()

    @property
    def span(self) -> TimeSpan | None:
        return self.content if isinstance(self.content, TimeSpan) else None

    def is_signal(self, *kinds: str) -> bool:
        return isinstance(self.content, Signal) and self.content.kind in kinds


@dataclass(frozen=True)
class Reading:
    """The path through a question; `inner` holds the times and signals that lie inside a name's phrase."""

    folded: str
    units: tuple[Unit, ...]
    arcs: tuple[Arc, ...]
    inner: tuple[tuple[Arc, Arc], ...]

    def gap(self, index: int) -> str:
        """What stands between an arc and the one before it, such as a comma."""
        if index == 0:
            return ""
        before = self.units[self.arcs[index - 1].end - 1].end
        return self.folded[before : self.units[self.arcs[index].start].start]

    def inside(self, arc: Arc, *kinds: str) -> Signal | None:
        """The first signal of these kinds within a name's phrase (`failed most`, 哪个国家)."""
        return next(
            (part.content for whole, part in self.inner
             if whole is arc and isinstance(part.content, Signal) and part.content.kind in kinds),
            None,
        )  # fmt: skip

    def inner_span(self) -> TimeSpan | None:
        return next((part.span for _, part in self.inner if part.span), None)


def read(
    question: str, vocabulary: Vocabulary, qualities: dict[str, tuple[str, ...]], now: datetime
) -> Reading:
    """The best path. `qualities` maps a metric's high and low words to the forms they are said in."""
    folded = fold(question)
    text = tuple(unit for unit in units(folded) if unit.text not in SYMBOLS)
    begins = {unit.start: index for index, unit in enumerate(text)}
    ends = {unit.end: index + 1 for index, unit in enumerate(text)}

    def arc(start: int, end: int, content: Content) -> Iterable[Arc]:
        while start < end and folded[start].isspace():
            start += 1
        while end > start and folded[end - 1] in " .":
            end -= 1
        if start in begins and end in ends and begins[start] < ends[end]:
            yield Arc(begins[start], ends[end], folded[start:end], content)

    arcs: list[Arc] = []
    for match in times.find(folded, now):
        arcs += arc(match.start, match.end, match.span)
    for signal in (*signals.find(folded), *thresholds.find(folded)):
        arcs += arc(signal.start, signal.end, signal.signal)
    marks = {item.end for item in arcs if item.is_signal("mark")}
    for index in range(len(text)):
        found = vocabulary.matches(text, index)
        split = min(
            (end for end, names in found if any(m.kind == "dimension" for m in names)), default=len(text)
        )
        for end, meanings in found:
            if end - index == 1 and _is_gerund(text[index].text, vocabulary):
                continue
            swallows = index in marks and end > split and all(m.kind == "metric" for m in meanings)
            # 每个工具的调用次数 asks for calls by tool, though 工具调用次数 is a metric's name.
            # "Average orders per day" averages orders, though an "average order" is a metric's name.
            swallows = swallows or (
                text[index].text in ("average", "avg", "mean")
                and bool(_A_PERIOD.match(folded, text[end - 1].end))
                and any(stop == end for stop, _ in vocabulary.matches(text, index + 1))
            )
            if not swallows and (end - index > 1 or not _is_filler(meanings, text, index, question)):
                arcs.append(Arc(index, end, folded[text[index].start : text[end - 1].end], meanings))
    arcs += _qualities(text, qualities)
    parts = [item for item in arcs if not item.names]
    for start, end in signals.chinese_stops(folded):
        arcs += arc(start, end, Signal("stop"))
    arcs += [
        Arc(index, index + 1, unit.text, Signal("stop"))
        for index, unit in enumerate(text)
        if signals.is_stop(unit.text)
    ]
    path = _best(len(text), arcs, text)
    inner = tuple(
        (whole, part)
        for whole in path
        if whole.names
        for part in parts
        if whole.start <= part.start and part.end <= whole.end
    )
    return Reading(folded, text, path, inner)


def _is_gerund(word: str, vocabulary: Vocabulary) -> bool:
    """`running`, `returning`: not the runs and returns that their stems would make of them."""
    return word.endswith("ing") and word not in vocabulary.spoken


def _is_filler(meanings: frozenset[Meaning], text: tuple[Unit, ...], index: int, question: str) -> bool:
    """Whether a word that may be a value (US, Plus, Display) is just a word here."""
    unit = text[index]
    if not all(meaning.kind == "value" for meaning in meanings) or not signals.is_function_word(unit.text):
        return False
    if index == 0:
        return True
    before = text[index - 1].text
    return before not in _BEFORE_VALUE and not question[unit.start].isupper()


def _qualities(text: tuple[Unit, ...], qualities: dict[str, tuple[str, ...]]) -> list[Arc]:
    found = []
    for word, forms in qualities.items():
        for form in forms:
            wanted = [unit.text for unit in units(fold(form))]
            for index in range(len(text) - len(wanted) + 1):
                if [unit.text for unit in text[index : index + len(wanted)]] == wanted:
                    signal = Signal("order", word, superlative=signals.is_superlative(form))
                    found.append(Arc(index, index + len(wanted), form, signal))
    return found


def _weight(arc: Arc, text: tuple[Unit, ...]) -> float:
    length = arc.end - arc.start
    if arc.content is None:
        return -2.0
    latin = not text[arc.start].chinese
    size = length * (2 if latin else 1)
    if isinstance(arc.content, Signal):
        bonus = {"stop": 0.5, "of": 0.55, "and": 0.55, "mark": 0.7, "number": 0.6, "refuse": 0.95}.get(
            arc.content.kind, 0.85
        )
        # A bare unit word (`days`) is the weakest reading of a grain; a quality word beats a plain one.
        return bonus * size * size
    if isinstance(arc.content, TimeSpan):
        return 0.97 * size * size
    strong = any(not meaning.weak for meaning in arc.names)
    return (1.0 if strong else 0.8) * size * size


def _best(length: int, arcs: list[Arc], text: tuple[Unit, ...]) -> tuple[Arc, ...]:
    by_end: dict[int, list[Arc]] = {}
    for arc in arcs:
        by_end.setdefault(arc.end, []).append(arc)
    best: list[tuple[float, tuple[Arc, ...]]] = [(0.0, ())]
    for end in range(1, length + 1):
        unread = Arc(end - 1, end, text[end - 1].text, None)
        score, path = best[end - 1]
        winner = (score + _weight(unread, text), (*path, unread))
        for arc in by_end.get(end, ()):
            score, path = best[arc.start]
            candidate = score + _weight(arc, text)
            if candidate > winner[0]:
                winner = (candidate, (*path, arc))
        best.append(winner)
    return best[length][1]
