"""What the words of an answer need to know of a project."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from agents.analyst.grammar.chart import Phrase
from agents.analyst.grammar.text import Unit, keys
from warehouse.semantic import SemanticLayer


class Words(Protocol):
    def match(self, text: Sequence[Unit], start: int) -> Iterable[Phrase]: ...


class Names(Protocol):
    """A project's vocabulary, as far as it is said and read back."""

    @property
    def semantic(self) -> SemanticLayer: ...

    @property
    def lexicon(self) -> Words: ...

    def phrase(self, name: str, language: str) -> str:
        """The label that a metric, dimension or entity alone has."""
        ...

    def resolve(self, candidates: str, metrics: Sequence[str]) -> Sequence[Any]:
        """The dimensions among `a|b` that all the metrics have, the nearest first, each with its `name`."""
        ...

    def value(self, dimension: str, said: str) -> Any | None:
        """The warehouse's own spelling of a value."""
        ...


def inside(label: str) -> str:
    """A label within a sentence: its first letter is small, unless it is an abbreviation's."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def capital(text: str) -> str:
    """A sentence's or a heading's first letter."""
    return text[:1].upper() + text[1:]


def plural(label: str) -> str:
    """An English label of several, as long as its words are still found by it."""
    if not label[-1:].isascii() or not label[-1:].isalpha():
        return label
    endings = ((("y",), label[:-1] + "ies"), (("s", "x", "sh", "ch"), label + "es"), (("",), label + "s"))
    several = next(text for ends, text in endings if label.endswith(ends))
    return next((text for text in (several, label + "s") if keys(text) == keys(label)), label)
