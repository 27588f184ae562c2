"""Everyday words as data (`data/concepts`), and what of them is said for what a project calls otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import yaml

from agents.analyst.grammar.text import fold, keys, units
from agents.analyst.vocabulary.names import ALIKE, BARE, DERIVED, FOLDER, FORM, STRONG, Name, chinese


def alike(names: Sequence[Name]) -> list[Name]:
    """The same names with everyday words in the place of the project's."""
    found = []
    for name in names:
        if name.source not in (*STRONG, FORM, DERIVED, BARE):
            continue
        said = [unit for unit in units(fold(name.text)) if unit.text != "的"]
        path = [unit.key for unit in said]
        for at, key in enumerate(path):
            for one, others in _lines().get(key, ()):
                if tuple(path) in _whole() and len(one) < len(path):
                    continue
                end = at + len(one)
                whole = end - at == len(path)
                # A single character may be a part of any word: 单均运费.
                if tuple(path[at:end]) != one or not (whole or said[at].key.isascii() or len(one) > 1):
                    continue
                before, after = ([unit.text for unit in part] for part in (said[:at], said[end:]))
                found += [
                    Name(" ".join((*before, other, *after)), ALIKE)
                    for other in others
                    if whole or chinese(other) == said[at].chinese
                ]
    return found


@cache
def _lines() -> Mapping[str, list[tuple[tuple[str, ...], list[str]]]]:
    """By its first key each word that has others like it."""
    found: dict[str, list[tuple[tuple[str, ...], list[str]]]] = {}
    for line in concepts()["alike"]:
        for one in line:
            path = keys(one)
            found.setdefault(path[0], []).append((path, [other for other in line if other != one]))
    return found


@cache
def _whole() -> frozenset[tuple[str, ...]]:
    return frozenset(map(keys, concepts()["as a whole"]))


@cache
def concepts() -> Any:
    """All files of the folder as one."""
    known: Any = {}
    for path in sorted((FOLDER / "concepts").glob("*.yml")):
        known = _both(known, yaml.safe_load(path.read_text("utf-8")))
    return known


def _both(one: Any, other: Any) -> Any:
    """Lists one after the other, mappings by their keys."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one | {key: _both(one[key], value) if key in one else value for key, value in other.items()}
    if isinstance(one, list) and isinstance(other, list):
        return one + other
    raise ValueError(f"two files of {FOLDER / 'concepts'} disagree: {one!r} and {other!r}")
