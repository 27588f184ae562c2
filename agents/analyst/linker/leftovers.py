"""The coverage check: a question with words that found no meaning is declined rather than guessed."""

from __future__ import annotations

import re

from agents.analyst.grammar.text import units
from agents.analyst.linker.draft import Draft, Refusal
from agents.analyst.linker.lattice import Reading
from agents.analyst.linker.signals import Signal
from warehouse.semantic import Metric

THRESHOLD = 0.75
# Words by rjieba's part of speech that only colour a sentence: adverbs, particles, conjunctions,
# pronouns, ...
_COLOUR_ZH = ("d", "u", "c", "p", "r", "y", "e", "o", "x", "z", "f", "q", "k")
_BINDING = frozenset(
    [
        "by",
        "per",
        "each",
        "every",
        "which",
        "what",
        "of",
        "in",
        "from",
        "for",
        "with",
        "without",
        "via",
        "on",
        "at",
        "to",
        "against",
        "versus",
        "vs",
        "and",
        "or",
        "not",
        "among",
        "excluding",
        "except",
        "no",
    ]
)


def check(draft: Draft) -> None:
    """Note the words that found no meaning; refuse when there are many or one could change the answer."""
    left = _left(draft)
    if not left:
        return
    linked = sum(
        1
        for arc in draft.reading.arcs
        if arc.content is not None and not arc.is_signal("stop", "of", "and", "mark", "number")
    )
    if linked / (linked + len(left)) < THRESHOLD or any(binding for _, binding in left):
        refusal = draft.refuse("unlinked", ", ".join(word for word, _ in left))
        raise Refusal(str(refusal), [word for word, _ in left])
    draft.note("ignored", ", ".join(word for word, _ in left))


def unread(reading: Reading) -> list[str]:
    """The words that found no meaning at all."""
    return [word for word, _ in _words(reading, frozenset())]


def name_keys(metric: Metric) -> frozenset[str]:
    """The keys of all the words that a metric is called by."""
    phrases = (metric.name, metric.label, metric.label_zh, *metric.synonyms_en, *metric.synonyms_zh)
    return frozenset(unit.key for phrase in phrases for unit in units(phrase.lower().replace("_", " ")))


def _left(draft: Draft) -> list[tuple[str, bool]]:
    """(word, whether it binds the answer): a noun, a number, or what follows a preposition."""
    known = frozenset(key for metric in draft.metrics for key in name_keys(metric) if key.isascii())
    left = _words(draft.reading, known)
    for arc in draft.reading.arcs:
        signal = arc.content
        if (
            isinstance(signal, Signal)
            and signal.kind == "number"
            and arc not in draft.consumed
            and signal.number != 1
        ):
            left.append((arc.text, True))
        if (
            isinstance(signal, Signal)
            and signal.kind == "not"
            and not any(item.op in ("!=", "not in") for item in draft.filters)
        ):
            left.append((arc.text, True))
    return left


def _words(reading: Reading, known: frozenset[str]) -> list[tuple[str, bool]]:
    found: list[tuple[str, bool]] = []
    run = ""
    for index, arc in enumerate((*reading.arcs, None)):
        empty = arc is not None and arc.content is None
        if arc is not None and empty and reading.units[arc.start].chinese:
            run += arc.text
            continue
        if run:
            found += _chinese(run)
            run = ""
        if arc is not None and empty and reading.units[arc.start].key not in known:
            before = reading.units[arc.start - 1].text if arc.start else ""
            article = before in ("the", "a", "an", "our", "all") and arc.start > 1
            before = reading.units[arc.start - 2].text if article else before
            after = reading.units[arc.end].text if arc.end < len(reading.units) else ""
            last = index == len(reading.arcs) - 1
            paired = last or after in ("vs", "versus", "and", "or")
            binding = paired or before in _BINDING or bool(re.search(r"\d", arc.text))
            found.append((arc.text, binding))
    return found


def _chinese(run: str) -> list[tuple[str, bool]]:
    import rjieba

    return [
        (word, not tag.startswith(_COLOUR_ZH) or tag.startswith("nr"))
        for word, tag in rjieba.tag(run)
        if re.search(r"\w", word)
    ]
