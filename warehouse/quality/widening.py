"""What a person would change in a table's file so that days that are right pass its gate: as a diff for git.

Nothing here writes: code and its bounds are changed by people.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from warehouse.ingestion.schema import FOLDER, TABLES
from warehouse.quality.gate import Outcome

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Change:
    """One number of a file: its key as a path, what it is and what it would be."""

    key: str
    old: float
    new: float


@dataclass(frozen=True)
class Widening:
    """The changes of one file, by its path in the repository, and together as a unified diff."""

    file: str
    changes: tuple[Change, ...]
    diff: str


def widenings(outcomes: Iterable[Outcome], folder: Path = FOLDER) -> dict[str, Widening]:
    """By table, what lets all of its figures pass that a share would let pass."""
    asked: dict[str, list[Change]] = defaultdict(list)
    for outcome in outcomes:
        if not outcome.passed and outcome.within is not None and outcome.needed is not None:
            key = f"gate.figures.{outcome.figure}.within"
            asked[outcome.table].append(Change(key, outcome.within, outcome.needed))
    files = {table.name: folder / f"{table.source}.yml" for table in TABLES}
    return {table: _widening(files[table], changes) for table, changes in asked.items() if table in files}


def _widening(file: Path, changes: list[Change]) -> Widening:
    before = after = file.read_text("utf-8")
    for change in changes:
        node = _node(yaml.compose(after), change.key.split("."))
        after = f"{after[: node.start_mark.index]}{change.new:g}{after[node.end_mark.index :]}"
    path = file.relative_to(_ROOT).as_posix() if file.is_relative_to(_ROOT) else file.name
    lines = [text.splitlines(keepends=True) for text in (before, after)]
    diff = difflib.unified_diff(lines[0], lines[1], f"a/{path}", f"b/{path}")
    return Widening(path, tuple(changes), "".join(diff))


def _node(node: Any, path: list[str]) -> Any:
    for key in path:
        node = next(value for name, value in node.value if name.value == key)
    return node
