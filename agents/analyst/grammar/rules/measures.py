"""Figures: metrics by name or verb, counts, ratios, averages, medians, running totals."""

from __future__ import annotations

from typing import Any

from agents.analyst.grammar.chart import Rule
from agents.analyst.grammar.fragment import BETWEEN, Asked, Fragment
from agents.analyst.intent import By, CountOf, Every, Group, Mean, Measure, MetricOf, Ratio


def _ratio(top: Measure, _: Any, bottom: Measure) -> Measure | None:
    return Ratio(numerator=top, denominator=bottom) if top != bottom else None


def _that_is(_: Any, whole: Measure, part: Measure) -> Measure | None:
    """What share of orders are cancelled orders; new customers are no part of orders."""
    if not isinstance(whole, MetricOf) or not isinstance(part, MetricOf):
        return None
    words, of = (set(one.name.replace(BETWEEN, "_").split("_")) for one in (part, whole))
    return _ratio(part, None, whole) if words & of else None


def _over(wrap: Any, groups: tuple[Group, ...]) -> Fragment | None:
    return Fragment(wraps=(wrap,), per=groups[0]) if len(groups) == 1 else None


def _count(of: str, verb: str | None = None) -> Measure:
    return CountOf(of=of, among=verb or "")


def _both(asked: tuple[Asked, ...], other: Asked) -> tuple[Asked, ...] | None:
    return (*asked, other) if other not in asked else None


RULES = (
    Rule("metric", "measure", "metric", lambda name: MetricOf(name=name)),
    Rule("asked", "fragment", "measure", lambda measure: Fragment(measures=(measure,))),
    Rule("and", "measures", "measure and/comma measure",
         lambda one, _, other: (one, other) if one != other else None),
    Rule("beside", "measures", "measure versus measure",
         lambda one, _, other: (one, other) if one != other else None),
    Rule("and more", "measures", "measures and/comma measure",
         lambda many, _, one: (*many, one) if one not in many else None),
    # Break revenue down.
    Rule("broken down", "fragment", "break_up measure/measures break_down",
         lambda _, said, __: Fragment(measures=said if isinstance(said, tuple) else (said,))),
    Rule("several", "fragment", "measures", lambda measures: Fragment(measures=measures)),
    Rule("how many", "measure", "how_many/quantity counter_of? counted",
         lambda _, __, name: MetricOf(name=name)),
    Rule("how many", "measure", "counted how_many/quantity", lambda name, _: MetricOf(name=name)),
    Rule("how many", "quantity", "how_many counter_of/counter_event", lambda _, __: "count"),
    # 卖了多少单，多少钱: each is asked for by itself.
    Rule("how many of", "asking", "done how_many counted_in",
         lambda done, _, name: Asked(name, "count", done[1])),
    Rule("asked and asked", "askings", "done how_many counted_in comma quantity",
         lambda done, _, name, __, kind: (Asked(name, "count", done[1]), Asked(done[0], kind))),
    Rule("how many done", "asking", "verb how_many", lambda verb, _: Asked(verb)),
    Rule("how many done", "asking", "verb quantity", lambda verb, kind: Asked(verb, kind)),
    Rule("how many", "asking", "metric how_many", lambda name, _: Asked(name)),
    Rule("asked and asked", "askings", "asking comma asking", lambda one, _, other: _both((one,), other)),
    Rule("asked and asked", "askings", "asking comma quantity",
         lambda one, _, kind: None if one.beside else _both((one,), Asked(one.metrics, kind))),
    Rule("asked and asked", "askings", "askings comma asking", lambda many, _, one: _both(many, one)),
    Rule("asked each", "fragment", "askings", lambda asked: Fragment(asked=asked)),
    Rule("how many of", "fragment", "how_many counted_in",
         lambda _, name: Fragment(asked=(Asked(name, "count"),))),
    Rule("basis", "basis", "measure", lambda measure: measure),
    Rule("basis", "basis", "verb", lambda verb: MetricOf(name=verb)),
    Rule("how many", "measure", "how_many metric", lambda _, name: MetricOf(name=name)),
    Rule("done", "fragment", "verb", lambda verb: Fragment(verbs=(verb,))),
    Rule("mentioned", "fragment", "mention", lambda metrics: Fragment(mentions=(metrics,))),
    Rule("kind", "fragment", "quantity", lambda kind: Fragment(wanted=kind)),
    Rule("how long", "fragment", "how_long/takes", lambda _: Fragment(wanted="duration")),
    # How many of what.
    Rule("counted", "measure", "how_many different? entity/dimension", lambda _, __, of: _count(of)),
    Rule("counted", "measure", "how_many counter_of different? entity/dimension",
         lambda _, __, ___, of: _count(of)),
    Rule("counted", "measure", "entity/dimension how_many counter_of?", lambda of, _, __: _count(of)),
    Rule("counted", "measure", "how_many different? entity/dimension verb",
         lambda _, __, of, verb: _count(of, verb)),
    Rule("counted", "measure", "verb how_many counter_of? different? entity/dimension",
         lambda verb, _, __, ___, of: _count(of, verb)),
    # One figure to another.
    Rule("ratio", "measure", "average? measure per measure", lambda _, *said: _ratio(*said)),
    Rule("share that is", "measure", "share measure measure", _that_is),
    Rule("as share", "measure", "measure as_share measure share?",
         lambda top, of, bottom, _: _ratio(top, of, bottom)),
    Rule("done per entity", "fragment", "verb per_each entity",
         lambda verb, _, thing: Fragment(verbs=(verb,), wraps=("mean",), per=By(dimension=thing))),
    Rule("per head", "fragment", "per_head",
         lambda names: Fragment(wraps=("mean",), per=By(dimension=names))),
    Rule("ratio after", "measure", "measure and measure ratio_after",
         lambda top, _, bottom, __: _ratio(top, None, bottom)),
    Rule("ratio of", "measure", "ratio measure to measure",
         lambda _, top, to, bottom: _ratio(top, to, bottom)),
    Rule("ratio after", "measure", "measure to/per measure ratio_after",
         lambda top, to, bottom, _: _ratio(top, to, bottom)),
    Rule("per entity", "measure", "average? measure per entity",
         lambda _, measure, __, entity: Mean(of=measure, per=By(dimension=entity))),
    # 人均, 单均.
    Rule("per head", "measure", "entity per_mark measure",
         lambda thing, _, measure: Mean(of=measure, per=By(dimension=thing))),
    Rule("per head", "fragment", "entity per_mark",
         lambda thing, _: Fragment(wraps=("mean",), per=By(dimension=thing))),
    # 跑一次, 每单: of what is an average of single ones already.
    Rule("single", "fragment", "one counter_event", lambda _, __: Fragment(single=True)),
    # China and Japan sold how much each.
    Rule("respectively", "fragment", "respective verb",
         lambda _, verb: Fragment(verbs=(verb,), apart=True)),
    Rule("respectively", "fragment", "respective quantity",
         lambda _, kind: Fragment(wanted=kind, apart=True)),
    # Over periods.
    Rule("average grain", "measure", "average grain_adjective measure",
         lambda _, grain, measure: Mean(of=measure, per=Every(grain=grain))),
    Rule("average a grain", "measure", "average_grain measure",
         lambda grain, measure: Mean(of=measure, per=Every(grain=grain))),
    Rule("average", "fragment", "average", lambda _: Fragment(wraps=("mean",))),
    Rule("average per", "fragment", "average each/per counter_of? groups/units",
         lambda _, __, ___, per: _over("mean", per)),
    Rule("average over", "fragment", "average over groups/units", lambda _, __, per: _over("mean", per)),
    Rule("typical", "fragment", "typical units", lambda _, per: _over("mean", per)),
    Rule("typical", "fragment", "median units", lambda _, per: _over("median", per)),
    Rule("a thing", "fragment", "one entity", lambda _, thing: Fragment(per=By(dimension=thing))),
    Rule("done to", "fragment", "verb quantity dimension",
         lambda verb, kind, thing: Fragment(verbs=(verb,), wanted=kind, objects=(thing,))),
    Rule("median per", "fragment", "median each/per/over counter_of? groups/units",
         lambda _, __, ___, per: _over("median", per)),
    Rule("median", "fragment", "median", lambda _: Fragment(wraps=("median",))),
    Rule("running", "fragment", "running", lambda _: Fragment(wraps=("running",))),
)  # fmt: skip
