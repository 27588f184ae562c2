"""Order and number of rows: the top five, the least, from high to low; and bounds on figures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agents.analyst.grammar.chart import Rule
from agents.analyst.grammar.fragment import Bound, Fragment
from agents.analyst.intent import By, Comparison, CountOf, Group, Measure, MetricOf

_OPPOSITE: dict[Comparison, Comparison] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "!=", "!=": "="}


def _limit(number: Any) -> int | None:
    return number if isinstance(number, int) and 0 < number <= 1000 else None


def _top(
    way: Any, number: Any, _: Any = None, groups: tuple[Group, ...] = (), by: Measure | None = None
) -> Any:
    return Fragment(groups=groups or (), direction=way, limit=number, by=by) if _limit(number) else None


def _bound(
    op: Any,
    number: Any,
    money: Any = None,
    percent: Any = None,
    of: Measure | None = None,
    lasting: str = "",
) -> Fragment | None:
    """`percent` is what the number is divided by: 100, or 10 of 九成."""
    if not isinstance(number, int | float) or (money is not None and percent is not None):
        return None
    if percent is not None:
        return Fragment(having=(Bound(op, number / int(percent), "percent"),))
    kind = lasting or ("" if money is None else f"money:{money}".rstrip(":"))
    return Fragment(having=(Bound(op, float(number), kind, of),))


def _between(_: Any, low: Any, __: Any, high: Any, money: Any = None, percent: Any = None) -> Any:
    """Both ends are in."""
    ends = _bound(">=", low, money, percent), _bound("<=", high, money, percent)
    first, last = ends
    return Fragment(having=(*first.having, *last.having)) if first and last and low < high else None


def _left_out(bound: Fragment, verb: str | None = None) -> Fragment | None:
    """Not those with fewer than ten, called fewer than ten times left out: ten or more."""
    if len(bound.having) != 1:
        return None
    one = bound.having[0]
    of = one.measure or (MetricOf(name=verb) if verb else None)
    return replace(bound, having=(replace(one, op=_OPPOSITE[one.op], measure=of),))


def _share_of(op: Any, number: Any, _: Any, of: Any) -> Fragment | None:
    """Three in a hundred, six in ten."""
    return _bound(op, number / of, percent=1) if 0 < number < of else None


def _those(name: str, bound: Fragment, measure: Measure | None = None, verb: str = "") -> Fragment:
    """Brands with more than 500 orders: those of which that is so."""
    verbs, measures = (verb,) if verb else (), (measure,) if measure else ()
    return replace(bound, groups=(By(dimension=name),), verbs=verbs, measures=measures, wanted="each")


def _periods(units: tuple[Group, ...], bound: Fragment, measure: Measure | None = None) -> Fragment:
    """Days with more than 500 orders."""
    return replace(bound, groups=units, measures=(measure,) if measure else (), wanted="each")


def _counted_with(_: Any, __: Any, of: str, measure: Measure, bound: Fragment) -> Fragment:
    """How many brands had revenue over 50,000."""
    having = tuple(replace(one, measure=one.measure or measure) for one in bound.having)
    return replace(bound, measures=(CountOf(of=of),), having=having)


def _superlative(meaning: Any, number: Any, _: Any, groups: tuple[Group, ...] | None) -> Fragment | None:
    """The slowest tool, the best seller: from which end, by which figure, of what where the word says so."""
    way, metrics, thing, several = (*meaning, "", False)[:4]
    if groups and thing:
        return None
    of = (By(dimension=thing),) if thing else groups or ()
    by = MetricOf(name=metrics)
    return Fragment(groups=of, direction=way, limit=_limit(number), by=by, ranked=several and not number)


def _doers(verb: str, of: str, way: Any, ranked: bool = False) -> Fragment:
    return Fragment(measures=(CountOf(of=of, among=verb),), direction=way, ranked=ranked)


RULES = (
    Rule("top", "fragment", "top/most number counter_of? groups/units?", _top),
    Rule("front", "fragment", "front number counter_of? groups?", _top),
    Rule("number top", "fragment", "number top/most groups/units?",
         lambda number, way, groups: _top(way, number, None, groups or ())),
    Rule("top by", "fragment", "top/most/front number counter_of? groups by basis",
         lambda way, number, _, groups, __, by: _top(way, number, None, groups, by)),
    Rule("best of", "fragment", "top groups/units",
         lambda way, groups: Fragment(direction=way, groups=groups)),
    Rule("most", "fragment", "most", lambda way: Fragment(direction=way)),
    Rule("most of", "fragment", "most number? counter_of? groups",
         lambda way, number, _, groups: Fragment(
             direction=way, groups=groups, limit=_limit(number), wanted="" if number else "alone")),
    # Which doctor saw the most patients.
    Rule("most counted", "fragment", "most entity",
         lambda way, of: Fragment(measures=(CountOf(of=of),), direction=way)),
    Rule("most figure", "fragment", "top/most measure",
         lambda way, of: Fragment(measures=(of,), direction=way, by=of)),
    Rule("most done", "fragment", "top/most basis groups/units",
         lambda way, by, groups: Fragment(direction=way, by=by, groups=groups)),
    Rule("most done", "fragment", "number top/most basis groups",
         lambda number, way, by, groups: _top(way, number, None, groups, by)),
    Rule("with the most", "fragment", "groups/units most",
         lambda groups, way: Fragment(groups=groups, direction=way)),
    # 买的人最多: people are counted, and not what they do.
    Rule("most doers", "fragment", "verb of_zh? entity most",
         lambda verb, _, of, way: _doers(verb, of, way)),
    Rule("more doers", "fragment", "verb of_zh? entity comparative",
         lambda verb, _, of, way: _doers(verb, of, way, ranked=True)),
    Rule("ranked", "fragment", "ranked", lambda _: Fragment(ranked=True)),
    Rule("ranked by", "fragment", "ranked by basis", lambda _, __, by: Fragment(ranked=True, by=by)),
    Rule("by figure in order", "fragment", "by basis ranked? in_order ranked?",
         lambda _, by, __, way, ___: Fragment(ranked=True, by=by, direction=way)),
    Rule("by figure ranked", "fragment", "by basis ranked",
         lambda _, by, __: Fragment(ranked=True, by=by)),
    Rule("by figure ranked", "fragment", "by basis ranked? front number counter_of? groups?",
         lambda _, by, __, way, number, ___, groups: _top(way, number, None, groups or (), by)),
    Rule("ranked things", "fragment", "ranked groups/units by basis",
         lambda _, groups, __, by: Fragment(groups=groups, ranked=True, by=by)),
    Rule("things by figure", "fragment", "dimension by basis",
         lambda name, _, by: Fragment(groups=(By(dimension=name),), ranked=True, by=by)),
    Rule("those with", "fragment", "dimension bounds", _those),
    Rule("those with", "fragment", "dimension measure bounds",
         lambda name, measure, bound: _those(name, bound, measure)),
    Rule("such", "fragment", "bounds of_zh dimension/entity",
         lambda bound, _, name: _those(name, bound)),
    Rule("those with", "fragment", "bounds of_zh units", lambda bound, _, units: _periods(units, bound)),
    Rule("those with", "fragment", "units bounds", _periods),
    # Days in October with fewer than a hundred.
    Rule("those with", "fragment", "units when bounds",
         lambda units, when, bound: replace(_periods(units, bound), times=(when,))),
    Rule("those with", "fragment", "units measure bounds",
         lambda units, measure, bound: _periods(units, bound, measure)),
    Rule("counted with", "fragment", "how_many different? dimension/entity measure bounds", _counted_with),
    Rule("counted with", "fragment", "measure bounds of_zh dimension/entity how_many/quantity",
         lambda measure, bound, _, of, __: _counted_with(None, None, of, measure, bound)),
    Rule("those that", "fragment", "dimension verb bounds",
         lambda name, verb, bound: _those(name, bound, verb=verb)),
    Rule("bound said", "fragment", "bounds", lambda bound: bound),
    Rule("bound not", "fragment", "not bounds", lambda _, bound: _left_out(bound)),
    Rule("bound not", "fragment", "verb? bounds not_after", lambda verb, bound, _: _left_out(bound, verb)),
    Rule("superlative", "fragment", "superlative number? counter_of? groups?", _superlative),
    Rule("superlative", "fragment", "number superlative groups?",
         lambda number, meaning, groups: _superlative(meaning, number, None, groups)),
    Rule("comparative", "fragment", "comparative", lambda way: Fragment(ranked=True, direction=way)),
    Rule("compared by", "fragment", "compared_by",
         lambda meaning: Fragment(ranked=True, direction=meaning[0], by=MetricOf(name=meaning[1]))),
    Rule("some with", "fragment", "number dimension/entity",
         lambda number, of: Fragment(groups=(By(dimension=of),), limit=_limit(number), wanted="top")
         if _limit(number) else None),
    Rule("in order", "fragment", "in_order", lambda way: Fragment(ranked=True, direction=way)),
    Rule("superlative first", "fragment", "superlative first_word",
         lambda meaning, _: Fragment(ranked=True, direction=meaning[0], by=MetricOf(name=meaning[1]))),
    Rule("once", "number", "once", int),
    Rule("bound between", "bounds", "between/from number and/to number money? percent?", _between),
    Rule("bound between", "bounds", "between? number percent? to/and number percent? between_after",
         lambda _, low, __, ___, high, percent, ____: _between(None, low, None, high, None, percent)),
    Rule("bound share", "bounds", "than number in number", _share_of),
    Rule("scaled", "number", "number counter_of? scale", lambda number, _, scale: number * int(scale)),
    Rule("bound", "bounds", "than number money? percent?", _bound),
    Rule("bound percent", "bounds", "percent_before number than_after",
         lambda percent, number, op: _bound(op, number, None, percent)),
    Rule("bound percent", "bounds", "than percent_before number",
         lambda op, percent, number: _bound(op, number, None, percent)),
    Rule("bound lasting", "bounds", "than number unit/short_unit",
         lambda op, number, unit: _bound(op, number, lasting=unit)),
    Rule("bound counted", "bounds", "than number counter_of/counter_event",
         lambda op, number, _: _bound(op, number)),
    Rule("bound of things", "bounds", "than number counter_of? entity/dimension",
         lambda op, number, _, of: _bound(op, number, of=CountOf(of=of))),
    Rule("bound of things", "bounds", "number than_after entity/dimension",
         lambda number, op, of: _bound(op, number, of=CountOf(of=of))),
    Rule("bound done", "bounds", "than verb number counter_of/counter_event/entity/metric",
         lambda op, verb, number, _: _bound(op, number, of=MetricOf(name=verb))),
    Rule("bound money", "bounds", "than money number", lambda op, money, number: _bound(op, number, money)),
    Rule("bound of", "bounds", "than number basis", lambda op, number, of: _bound(op, number, of=of)),
    Rule("bound after of", "bounds", "number than_after basis",
         lambda number, op, of: _bound(op, number, of=of)),
    Rule("bound after", "bounds", "number money? percent? counter_event/counter_of? than_after",
         lambda number, money, percent, _, op: _bound(op, number, money, percent)),
)  # fmt: skip
