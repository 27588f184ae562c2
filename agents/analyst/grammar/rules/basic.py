# ruff: noqa: E501
"""Figures, groups, filters, ranks, shares, comparisons: the everyday phrases."""

from __future__ import annotations

from typing import Any

from agents.analyst.grammar.chart import Rule
from agents.analyst.grammar.fragment import Fragment, Rank
from agents.analyst.intent import By, Every, Group, Is, MetricOf, Not


def _limit(n: Any) -> int | None:
    return n if isinstance(n, int) and 0 < n <= 1000 else None


def _top(way: Any, n: Any, groups: tuple[Group, ...], by: Any = None) -> Fragment | None:
    if _limit(n) is None:
        return None
    return Fragment(groups=groups, rank=Rank(way, n), measures=(by,) if by else ())


def _most(way: Any, groups: tuple[Group, ...] = (), by: Any = None) -> Fragment:
    return Fragment(groups=groups, rank=Rank(way), measures=(by,) if by else ())


def _either(one: Is, other: Is) -> Is | None:
    """China and Japan: values of one dimension."""
    if not isinstance(one, Is) or not isinstance(other, Is):
        return None
    both = set(one.dimension.split("|")) & set(other.dimension.split("|"))
    return Is(dimension="|".join(sorted(both)), values=(*one.values, *other.values)) if both else None


RULES = (
    Rule("metric", "measure", "metric", lambda name: MetricOf(name=name)),
    Rule("asked", "fragment", "measure", lambda measure: Fragment(measures=(measure,))),
    Rule("when", "fragment", "when", lambda when: Fragment(times=(when,))),
    Rule("dimension", "groups", "dimension", lambda names: (By(dimension=names),)),
    Rule("grain", "groups", "grain_word", lambda grain: (Every(grain=grain),)),
    Rule("by grain", "groups", "by unit", lambda _, grain: (Every(grain=grain),) if grain != "half" else None),
    Rule("groups", "groups", "groups and groups", lambda one, _, other: (*one, *other)),
    Rule("groups side by side", "groups", "groups groups", lambda one, other: (*one, *other)),
    Rule("grained", "fragment", "grained", lambda groups: Fragment(groups=groups)),
    Rule("grain alone", "fragment", "grain_word", lambda grain: Fragment(groups=(Every(grain=grain),))),
    Rule("by", "fragment", "by groups", lambda _, groups: Fragment(groups=groups)),
    Rule("each", "fragment", "each groups", lambda _, groups: Fragment(groups=groups)),
    Rule("by each", "fragment", "by each groups", lambda _, __, groups: Fragment(groups=groups)),
    Rule("in each", "fragment", "in_each groups", lambda _, groups: Fragment(partition=groups)),
    Rule("value", "condition", "value", lambda value: Is(dimension=value[0], values=(value[1],))),
    Rule("either", "condition", "condition and condition", lambda a, _, b: _either(a, b)),
    Rule("either or", "condition", "condition or condition", lambda a, _, b: _either(a, b)),
    Rule("either beside", "condition", "condition condition", _either),
    Rule("not", "no_condition", "not condition", lambda _, condition: Not(of=condition)),
    Rule("not after", "no_condition", "condition not_after", lambda condition, _: Not(of=condition)),
    Rule("not around", "no_condition", "not condition not_after", lambda _, c, __: Not(of=c)),
    Rule("named value", "condition", "dimension condition", lambda d, c: _of(d, c)),
    Rule("value named", "condition", "condition dimension", lambda c, d: _of(d, c)),
    Rule("where", "fragment", "condition", lambda condition: Fragment(where=(condition,))),
    Rule("where not", "fragment", "no_condition", lambda condition: Fragment(where=(condition,))),
    Rule("top", "fragment", "top number groups", lambda way, n, groups: _top(way, n, groups)),
    Rule("top counted", "fragment", "top number counter_of groups", lambda w, n, _, g: _top(w, n, g)),
    Rule("number top", "fragment", "number top groups", lambda n, way, groups: _top(way, n, groups)),
    Rule("top by", "fragment", "top number groups by measure", lambda w, n, g, _, m: _top(w, n, g, m)),
    Rule("measure top", "fragment", "measure top number groups", lambda m, w, n, g: _top(w, n, g, m)),
    Rule("measure top zh", "fragment", "measure top number counter_of groups",
         lambda m, w, n, _, g: _top(w, n, g, m)),
    Rule("measure most zh", "fragment", "measure most number counter_of groups",
         lambda m, w, n, _, g: _top(w, n, g, m)),
    Rule("which most", "fragment", "which groups most measure", lambda _, g, way, m: _most(way, g, m)),
    Rule("which", "fragment", "which groups", lambda _, groups: Fragment(groups=groups)),
    Rule("most", "fragment", "most", _most),
    Rule("measure most", "fragment", "measure most groups", lambda m, way, g: _most(way, g, m)),
    Rule("most measure", "fragment", "most measure", lambda way, m: _most(way, (), m)),
    Rule("share", "fragment", "share", lambda _: Fragment(wraps=("share",))),
    Rule("versus", "fragment", "versus", lambda _: Fragment(compared=True)),
    Rule("previous", "fragment", "previous", lambda unit: Fragment(against=unit, compared=True)),
    Rule("year ago", "fragment", "year_ago", lambda _: Fragment(against="year_ago", compared=True)),
    Rule("and measures", "fragment", "measure and measure", lambda a, _, b: Fragment(measures=(a, b)) if a != b else None),
    Rule("and times", "fragment", "when and when", lambda a, _, b: Fragment(times=(a, b))),
    Rule("against", "fragment", "when versus when", lambda a, _, b: Fragment(times=(a, b), compared=True)),
    Rule("ranked", "fragment", "ranked", lambda _: Fragment(rank=Rank("desc"))),
    Rule("ranked by", "fragment", "ranked by measure", lambda _, __, m: Fragment(rank=Rank("desc"), measures=(m,))),
)  # fmt: skip


def _of(dimension: str, condition: Any) -> Is | None:
    """`country China`, 国家为中国."""
    if not isinstance(condition, Is):
        return None
    both = set(condition.dimension.split("|")) & set(dimension.split("|"))
    return Is(dimension="|".join(sorted(both)), values=condition.values) if both else None
