"""What an answer has a row for: by country, each month, which brand."""

from __future__ import annotations

from typing import Any

from agents.analyst.grammar.chart import Rule
from agents.analyst.grammar.fragment import Fragment
from agents.analyst.intent import By, Every, Group, PartOf

_CALENDAR = {"minute", "hour", "day", "week", "month", "quarter", "year"}


def _every(grain: str) -> tuple[Group, ...] | None:
    return (Every(grain=grain),) if grain in _CALENDAR else None  # type: ignore[arg-type]


def _some(which: Any, number: Any, _: Any, groups: tuple[Group, ...]) -> Fragment | None:
    if number is None:
        return Fragment(groups=groups)
    return Fragment(groups=groups, limit=number) if isinstance(number, int) and 0 < number <= 1000 else None


def _each_of(when: Any) -> Fragment | None:
    """Each of the last three months."""
    grain = getattr(when, "unit", "") if getattr(when, "count", 1) > 1 else ""
    groups = _every(grain)
    return Fragment(times=(when,), each=groups) if groups else None


def _busiest(way: Any, groups: tuple[Group, ...]) -> Fragment | None:
    """The peak hour is one of the clock, the busiest day one of the calendar."""
    if len(groups) != 1 or isinstance(groups[0], By):
        return None
    return Fragment(
        groups=(PartOf(part="hour_of_day"),) if groups[0] == Every(grain="hour") else groups, direction=way
    )


RULES = (
    Rule("dimension", "groups", "dimension", lambda names: (By(dimension=names),)),
    Rule("entity", "groups", "entity", lambda names: (By(dimension=names),)),
    Rule("grain", "grained", "grain_word", _every),
    Rule("of grain", "units", "unit", _every),
    Rule("and", "groups", "groups and? groups/grained", lambda one, _, other: (*one, *other)),
    Rule("grain and", "groups", "grained and? groups", lambda one, _, other: (*one, *other)),
    Rule("by", "fragment", "by each? groups/units/grained split?",
         lambda _, __, groups, ___: Fragment(groups=groups)),
    Rule("by after", "fragment", "by? each? groups/units/grained by_after",
         lambda _, __, groups, ___: Fragment(groups=groups)),
    # At the end of each month: what a level is in it.
    Rule("closing each", "fragment", "closing each units",
         lambda _, __, groups: Fragment(each=groups, closing=True)),
    Rule("closing grain", "fragment", "closing_grain",
         lambda grain: Fragment(each=_every(grain) or (), closing=True)),
    Rule("busiest", "fragment", "busiest units/groups", _busiest),
    Rule("which of them", "fragment", "which_one", lambda _: Fragment(chosen=True)),
    Rule("grained", "fragment", "grained", lambda groups: Fragment(each=groups)),
    Rule("each", "fragment", "in? each counter_of? groups/units inside?",
         lambda _, __, ___, groups, ____: Fragment(each=groups)),
    Rule("one by one", "fragment", "dimension by dimension",
         lambda one, _, other: Fragment(each=(By(dimension=one),)) if one == other else None),
    Rule("one by one", "fragment", "entity by entity",
         lambda one, _, other: Fragment(each=(By(dimension=one),)) if one == other else None),
    Rule("wise", "fragment", "groups/units wise", lambda groups, _: Fragment(groups=groups)),
    Rule("metric wise", "fragment", "measure wise", lambda measure, _: Fragment(measures=(measure,))),
    Rule("apart", "fragment", "apart", lambda _: Fragment(apart=True)),
    Rule("each of", "fragment", "in? each when", lambda _, __, when: _each_of(when)),
    Rule("which", "fragment", "which number? counter_of? groups/units", _some),
    Rule("which after", "fragment", "groups/units copula? which/whoever/which_one",
         lambda groups, _, __: Fragment(groups=groups)),
)  # fmt: skip
