"""What an answer is worth: its rows compared with the gold's by values.

right  the figures of a gold, each with its keys, and nothing that misleads: further columns, and time buckets
       without any figure, do no harm; the order only where the gold says so; the rows may have names that are
       all others than the gold's
poor   right figures, but: the asked rows stand first and more follow; a few rows of many too few or too many
       (at most a fifth; besides, those that are 0 left out, one of what has no value shown); a figure that
       was asked for besides is missing; what the figure is of is not said; the order is another; the unit is
       another (percent for a fraction, seconds for milliseconds)
wrong  any other answer; and any answer, but that there is no data, where none is to be had
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from evaluation.cells import Cell, cell, is_time, same

Grade = Literal["right", "poor", "wrong", "declined", "asked", "failed"]
Rows = Sequence[Sequence[Any]]
# What a figure may be too large or too small by, all alike, and be right in another unit.
UNITS = (100.0, 0.01, 1000.0, 0.001, 60.0, 1 / 60, 3600.0, 1 / 3600, 1e6, 1e-6)
_A_FIFTH = 0.2


@dataclass(frozen=True)
class Given:
    """What came back. `rows` as the warehouse gave them, unrounded; `labels` of their columns; `readings`
    where it asked back; `suggestions` of what to ask instead; `confidence` that it is right, if it
    says; `reason`: by which rule it declined, in one word.
    """

    kind: Literal["answered", "declined", "ask_back", "failed"]
    rows: Rows = ()
    labels: Sequence[str] = ()
    text: str = ""
    sql: str = ""
    seconds: float = 0.0
    confidence: float | None = None
    readings: Sequence[str] = ()
    suggestions: Sequence[str] = ()
    reason: str = ""


def grade(given: Given, expect: str, golds: Sequence[tuple[Rows, bool]]) -> Grade:
    """Judge an answer to a question that is to be answered, declined or asked back. `golds`: rows, and
    whether their order matters.
    """
    if given.kind == "failed":
        return "failed"
    if given.kind == "declined":
        return "right" if expect == "decline" else "declined"
    if given.kind == "ask_back":
        if expect == "ask_back":
            return "right" if len(given.readings) > 1 else "declined"
        return "asked"
    if expect != "answer":
        return "right" if expect == "decline" and says_nothing(given.rows) else "wrong"
    found = [compared(given, rows, ordered) for rows, ordered in golds]
    return "right" if "right" in found else "poor" if "poor" in found else "wrong"


def says_nothing(rows: Rows) -> bool:
    """Whether an answer has no figure at all, which says plainly that there is no data; a 0 does not."""
    return not any(isinstance(cell(value), float) for row in rows for value in row)


def compared(given: Given, gold: Rows, ordered: bool) -> Grade:
    """`right`, `poor` or `wrong`: an answer's rows beside those of one gold."""
    wanted = [[cell(value) for value in row] for row in gold]
    rows = [[cell(value) for value in row] for row in given.rows]
    if not wanted:
        return "right" if says_nothing(given.rows) else "wrong"
    if not rows:
        return "wrong"
    wanted, rows = _without_empty_buckets(wanted, rows)
    best: Grade = "wrong"
    for columns in _mappings(wanted, rows):
        found = _rows_compared([[row[at] for at in columns] for row in rows], wanted, ordered)
        if found == "right":
            return "right"
        best = found if best == "wrong" else best
    if best == "wrong" and (_turned(wanted, rows) or _renamed(wanted, rows, ordered)):
        return "right"
    if best == "wrong" and (_in_another_unit(wanted, rows, ordered) or _less_said(wanted, rows, given.text)):
        said = len(wanted) == 1 and _keys_in_text(wanted, given.text) and _figures_there(wanted, rows)
        return "right" if said else "poor"
    return best


def _figure(value: Cell) -> bool:
    return isinstance(value, float)


def _mappings(wanted: list[list[Cell]], rows: list[list[Cell]]) -> Iterator[tuple[int, ...]]:
    """For each column of the gold one of the answer's, all different, whose values could be its."""
    width = len(rows[0])
    # A few of the gold's rows tell, and all of them are compared later.
    possible = [
        [at for at in range(width) if any(same(row[at], one[column]) for row in rows for one in wanted[:5])]
        for column in range(len(wanted[0]))
    ]

    def chosen(column: int, taken: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if column == len(possible):
            yield taken
            return
        for at in possible[column]:
            if at not in taken:
                yield from chosen(column + 1, (*taken, at))

    return chosen(0, ())


def _rows_compared(rows: list[list[Cell]], wanted: list[list[Cell]], ordered: bool) -> Grade:
    """Rows with the gold's columns, beside the gold's rows."""
    pairs, extra = _paired(rows, wanted)
    missing = [at for at in range(len(wanted)) if at not in pairs.values()]
    if not extra and not missing:
        return "right" if not ordered or _in_order(pairs, wanted) else "poor"
    if ordered and len(extra) == len(missing) and _tied(rows, wanted, extra, missing):
        return "right"
    if not missing and ordered and min(extra) >= len(wanted):
        return "poor"
    if not pairs:
        return "wrong"
    tolerated = _A_FIFTH * len(wanted)
    extra = [at for at in extra if not _of_nothing(rows[at])]
    missing = [at for at in missing if any(_figure(value) and value for value in wanted[at])]
    return "poor" if len(missing) <= tolerated and len(extra) <= tolerated else "wrong"


def _of_nothing(row: list[Cell]) -> bool:
    """Whether a row is of what has no name: those without a value."""
    return None in row and all(value is None or _figure(value) for value in row)


def _paired(rows: list[list[Cell]], wanted: list[list[Cell]]) -> tuple[dict[int, int], list[int]]:
    """The gold's row for each row given, and the rows that are none of them."""
    free: dict[tuple[Cell, ...], list[int]] = {}
    for at, row in enumerate(wanted):
        free.setdefault(_texts(row), []).append(at)
    pairs: dict[int, int] = {}
    extra: list[int] = []
    for at, row in enumerate(rows):
        left = free.get(_texts(row), [])
        match = next((one for one in left if all(map(same, row, wanted[one]))), None)
        if match is None:
            extra.append(at)
        else:
            left.remove(match)
            pairs[at] = match
    return pairs, extra


def _texts(row: list[Cell]) -> tuple[Cell, ...]:
    """What must be equal to the letter: a short way to the rows that may be the same."""
    return tuple(None if _figure(value) else value for value in row)


def _in_order(pairs: dict[int, int], wanted: list[list[Cell]]) -> bool:
    """Whether the rows stand as in the gold, but for those that are equal in a figure."""
    places = [pairs[at] for at in sorted(pairs)]
    return all(one < other or _tied_rows(wanted[one], wanted[other]) for one, other in pairwise(places))


def _tied(rows: list[list[Cell]], wanted: list[list[Cell]], extra: list[int], missing: list[int]) -> bool:
    """Whether other rows than the gold's stand at its end, with the very figures of its last one."""
    last = wanted[-1]
    left = [*(rows[at] for at in extra), *(wanted[at] for at in missing)]
    return all(_tied_rows(row, last) for row in left)


def _tied_rows(one: list[Cell], other: list[Cell]) -> bool:
    return any(_figure(a) and _figure(b) and same(a, b) for a, b in zip(one, other, strict=True))


def _without_empty_buckets(
    wanted: list[list[Cell]], rows: list[list[Cell]]
) -> tuple[list[list[Cell]], list[list[Cell]]]:
    """Both without the time buckets in which nothing was, which may be shown or left out."""

    def kept(table: list[list[Cell]]) -> list[list[Cell]]:
        full = [row for row in table if not any(map(is_time, row)) or any(_figure(v) and v for v in row)]
        return full or table

    return kept(wanted), kept(rows)


def _turned(wanted: list[list[Cell]], rows: list[list[Cell]]) -> bool:
    """Whether figures stand side by side that the gold has one below the other, or the other way round."""
    if len(rows) == 1 and 2 <= len(wanted) <= 3 and sum(map(_figure, wanted[0])) == 1:
        return _all_in([value for row in wanted for value in row if _figure(value)], rows[0])
    if len(wanted) == 1 and 2 <= len(rows) == len(wanted[0]) <= 3 and all(map(_figure, wanted[0])):
        return any(_all_in(wanted[0], [row[at] for row in rows]) for at in range(len(rows[0])))
    return False


def _renamed(wanted: list[list[Cell]], rows: list[list[Cell]], ordered: bool) -> bool:
    """Whether all figures are there, each row under a name of its own that is none of the gold's, such as
    `weekends` for true.
    """
    width = len(wanted[0])
    keys = [at for at in range(width) if not all(_figure(row[at]) for row in wanted)] or [0]
    if not 2 <= len(wanted) == len(rows) or len(keys) == width:
        return False
    if any(same(row[at], value) for row in wanted for at in keys for other in rows for value in other):
        return False
    names = (at for at in range(len(rows[0])) if not any(_figure(row[at]) for row in rows))
    fewer = [[value for at, value in enumerate(row) if at not in keys] for row in wanted]
    return any(len({row[at] for row in rows}) == len(rows) for at in names) and any(
        _rows_compared([[row[at] for at in columns] for row in rows], fewer, ordered) == "right"
        for columns in _mappings(fewer, rows)
    )


def _all_in(figures: Sequence[Cell], row: Sequence[Cell]) -> bool:
    left = list(row)
    for figure in figures:
        match = next((value for value in left if same(value, figure)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def _in_another_unit(wanted: list[list[Cell]], rows: list[list[Cell]], ordered: bool) -> bool:
    """Whether all figures of the gold, times one and the same unit, are there."""
    if not any(_figure(value) and value for row in wanted for value in row):
        return False
    return any(
        _rows_compared([[row[at] for at in columns] for row in rows], scaled, ordered) != "wrong"
        for unit in UNITS
        for scaled in ([[v * unit if isinstance(v, float) else v for v in row] for row in wanted],)
        for columns in _mappings(scaled, rows)
    )


def _less_said(wanted: list[list[Cell]], rows: list[list[Cell]], text: str) -> bool:
    """Whether a figure that was asked for besides is missing, or the name of what the only figure is of."""
    width = len(wanted[0])
    figures = [at for at in range(width) if any(_figure(row[at]) for row in wanted)]
    keys = [at for at in range(width) if at not in figures]
    if len(wanted) == 1 and keys and figures and _figures_there(wanted, rows):
        return True
    shown = sum(any(_figure(row[at]) for row in rows) for at in range(len(rows[0])))
    # A figure in its place would be a wrong one.
    for left_out in figures if 1 < len(figures) > shown else ():
        fewer = [[value for at, value in enumerate(row) if at != left_out] for row in wanted]
        if any(
            _rows_compared([[row[at] for at in columns] for row in rows], fewer, False) == "right"
            for columns in _mappings(fewer, rows)
        ):
            return True
    return False


def _figures_there(wanted: list[list[Cell]], rows: list[list[Cell]]) -> bool:
    """Whether the only row has the figures, and no name, which would be another."""
    nameless = len(rows) == 1 and not any(isinstance(value, str) for value in rows[0])
    return nameless and _all_in([value for value in wanted[0] if _figure(value)], rows[0])


def _keys_in_text(wanted: list[list[Cell]], text: str) -> bool:
    keys = [str(value) for value in wanted[0] if not _figure(value)]
    return bool(keys) and all(key in text.casefold() for key in keys)
