"""What is said around a question: who asks and why, and what no figure can say."""

from __future__ import annotations

from typing import Any

from agents.analyst.grammar.chart import Rule
from agents.analyst.grammar.fragment import EMPTY, Fragment
from agents.analyst.grammar.when import Unit
from agents.analyst.intent import By


def _nth(ordinal: Any, *_: Any) -> Fragment | None:
    """The second best: only the first and the last few of an order are answered."""
    return Fragment(beyond="nth") if int(ordinal) > 1 else None


def _on_last(unit: str) -> Fragment:
    """Up on last year: this year so far, and as much of the one before."""
    return Fragment(times=(Unit(unit, 0),), against="year_ago" if unit == "year" else unit, compared=True)


RULES = (
    Rule("saved", "fragment", "saved", lambda name: Fragment(saved=name)),
    Rule("aside", "fragment", "aside", lambda _: EMPTY),
    Rule("asked for", "fragment", "asker asks", lambda _, __: EMPTY),
    # 名字和金额: the names are in the rows anyway.
    Rule("named so", "fragment", "named_so and quantity", lambda _, __, kind: Fragment(wanted=kind)),
    Rule("beyond", "fragment", "beyond", lambda key: Fragment(beyond=key)),
    Rule("nth", "fragment", "ordinal top/most groups/units/basis?", _nth),
    Rule("on last", "fragment", "on_last", _on_last),
    Rule("who", "fragment", "whoever", lambda names: Fragment(who=By(dimension=names))),
    Rule("where asked", "fragment", "whereabouts", lambda names: Fragment(groups=(By(dimension=names),))),
    Rule("when asked", "fragment", "asked_when",
         lambda _: [Fragment(moment="day"), Fragment(moment="month")]),
    Rule("present", "fragment", "at_present", lambda _: Fragment(present=True)),
)  # fmt: skip
