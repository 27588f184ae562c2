"""The part that a named thing plays in a question: asked for, split by, filtered by, or only mentioned."""

from __future__ import annotations

from agents.analyst.grammar.text import units as split_units
from agents.analyst.linker.lattice import Arc, Reading
from agents.analyst.linker.signals import Signal
from agents.analyst.linker.vocabulary import Meaning
from warehouse.semantic import Dimension


def is_metric(arc: Arc, reading: Reading) -> bool:
    """A metric's name, unless it can be a dimension's or value's too and is used as one."""
    kinds = {meaning.kind for meaning in arc.names}
    if "metric" not in kinds:
        return False
    return kinds == {"metric"} or not marked(reading, reading.arcs.index(arc))


def is_dimension(arc: Arc, reading: Reading) -> bool:
    return not is_metric(arc, reading) and any(meaning.kind == "dimension" for meaning in arc.names)


def is_value(arc: Arc, reading: Reading) -> bool:
    kinds = {meaning.kind for meaning in arc.names}
    return "value" in kinds and not is_metric(arc, reading) and not is_dimension(arc, reading)


def marked(reading: Reading, index: int) -> bool:
    """Whether an arc is asked to be split by: after by, each, which, top five, 各, 哪个, or joined to one
    that is.
    """
    arcs = reading.arcs
    if reading.inside(arcs[index], "mark"):
        return True
    position = index - 1
    while position >= 0 and arcs[position].is_signal("stop"):
        position -= 1
    if position < 0:
        return False
    before = arcs[position]
    if before.is_signal("mark", "number") or (isinstance(before.content, Signal) and before.content.number):
        return True
    if before.is_signal("of") and position and arcs[position - 1].is_signal("order", "change"):
        return True
    if before.is_signal("order") and reading.units[before.start].text in ("top", "bottom"):
        return True
    if before.is_signal("and") or any(char in reading.gap(index) for char in ",、，&/"):
        other = position - 1 if before.is_signal("and") else position
        named = other >= 0 and any(m.kind == "dimension" for m in arcs[other].names)
        return bool(
            (named or (other >= 0 and arcs[other].is_signal("grain")))
            and (arcs[other].is_signal("grain") or marked(reading, other))
        )
    return before.is_signal("and")


def joined(reading: Reading, index: int) -> bool:
    """Whether `and` or a comma ties an arc to the one before it, articles aside."""
    while index and not any(char in reading.gap(index) for char in ",、，&/"):
        index -= 1
        if not reading.arcs[index].is_signal("stop"):
            return reading.arcs[index].is_signal("and")
    return bool(index)


def before(reading: Reading, index: int, kind: str) -> bool:
    position = index - 1
    while position >= 0 and reading.arcs[position].is_signal("stop"):
        position -= 1
    return position >= 0 and reading.arcs[position].is_signal(kind)


def excluded_after(reading: Reading, index: int) -> bool:
    """中国除外, 中国以外."""
    tail = reading.folded[reading.units[reading.arcs[index].end - 1].end :]
    return tail.startswith(("除外", "以外", "之外"))


def beside(reading: Reading, index: int, dimension: Dimension) -> set[Arc]:
    """The dimension words that only introduce a value: `country China`, 国家为中国, `cancelled status`."""
    label = [unit.key for unit in split_units(f"{dimension.label.lower()} {dimension.label_zh}")]
    found = set()
    for step in (-1, 1):
        position = index + step
        while 0 <= position < len(reading.arcs) and reading.arcs[position].is_signal("stop"):
            position += step
        if 0 <= position < len(reading.arcs):
            arc = reading.arcs[position]
            named = Meaning("dimension", dimension.name) in arc.names or (
                is_dimension(arc, reading) and all(unit.key in label for unit in split_units(arc.text))
            )
            if named and not marked(reading, position):
                found.add(arc)
    return found
