"""What the words of an answer need to know of a project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from agents.analyst.grammar.chart import Phrase
from agents.analyst.grammar.text import Unit, fold, keys, units
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

    def shared(self, dimension: str) -> Mapping[str, int]:
        """The names in a dimension that several things have, and how many have each."""
        ...

    def value(self, dimension: str, said: str) -> Any | None:
        """The warehouse's own spelling of a value."""
        ...


def inside(label: str) -> str:
    """A label within a sentence: its first letter is small, unless it is an abbreviation's."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def noun(name: str, names: Names, language: str) -> str:
    """What a dimension or an entity is called within a sentence: an entity by its own label, not by its
    key's, where nothing else is called so.
    """
    if entity := names.semantic.entities.get(name):
        spoken = name.replace("__", " ").replace("_", " ")
        own = inside((entity.label_zh if language == "zh" else "") or entity.label or spoken)
        if _is_only(name, own, names):
            return own
    return inside(names.phrase(name, language))


def _is_only(name: str, text: str, names: Names) -> bool:
    said = units(fold(text))
    found = {(one.category, one.value) for one in names.lexicon.match(said, 0) if one.end == len(said)}
    return ("entity", name) in found and not any(
        category in ("metric", "dimension") or (category == "entity" and meaning != name)
        for category, meaning in found
    )


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
