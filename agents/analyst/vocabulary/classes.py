"""Other words for values that mean the same in any project: women of a gender, cash of a way to pay, 空运 of
what goes by air.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from agents.analyst.grammar.text import keys
from agents.analyst.vocabulary.concepts import concepts
from agents.analyst.vocabulary.names import spoken
from warehouse.semantic import Dimension

Path = tuple[str, ...]
# A column of more values holds names, and who is called Cash is no money.
_MOST = 1_000


class _Class(NamedTuple):
    """What a thing is called; a column of such things has one of `columns` in its name, if there are any."""

    columns: tuple[Path, ...]
    words: tuple[str, ...]


def class_words(dimensions: Iterable[Dimension], values: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """For each value that is of a class the other words for it, but for those that are values themselves."""
    if len(values) > _MOST:
        return {}
    called = [path for dimension in dimensions for path in _names(dimension)]
    own = {keys(spoken(value)): value for value in values}
    meant: dict[_Class, set[str]] = defaultdict(set)
    for path, value in own.items():
        for one in _classes().get(path, ()):
            if not one.columns or any(_has(name, word) for name in called for word in one.columns):
                meant[one].add(value)
    found: dict[str, list[str]] = defaultdict(list)
    for one, spelt in meant.items():
        # Of "called off" and "cancelled" in one column nobody knows which the other words mean.
        if len(spelt) == 1:
            found[spelt.pop()] += [word for word in one.words if keys(word) not in own and not _is_code(word)]
    return found


def _is_code(word: str) -> bool:
    """F is written for women, and nobody says it."""
    return len(word) == 1 and word.isascii()


def _names(dimension: Dimension) -> list[Path]:
    element = spoken(dimension.name.rpartition("__")[2])
    return [keys(text) for text in (element, dimension.label, dimension.label_zh) if text]


def _has(name: Path, word: Path) -> bool:
    return any(name[at : at + len(word)] == word for at in range(len(name) - len(word) + 1))


@cache
def _classes() -> Mapping[Path, Sequence[_Class]]:
    """By each way to write it in a column the classes that it is of."""
    found: dict[Path, list[_Class]] = defaultdict(list)
    for line in concepts()["values"]:
        one = _Class((), tuple(dict.fromkeys((*line["is"], *line["says"]))))
        for path in {keys(word) for word in line["is"]}:
            found[path].append(one)
    for group in concepts()["classes"]:
        columns = tuple(map(keys, group.get("of", ())))
        for words in group["are"]:
            one = _Class(columns, tuple(words))
            for path in {keys(word) for word in words}:
                found[path].append(one)
    return found
