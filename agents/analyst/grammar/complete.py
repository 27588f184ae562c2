"""From all that a question says to the intents that it may be, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import Any

from agents.analyst.grammar.besides import besides
from agents.analyst.grammar.fragment import BETWEEN, EMPTY, Asked, Fragment, Refused
from agents.analyst.grammar.naming import choices, dimension_names, metrics_in, with_names
from agents.analyst.grammar.question import KINDS, Completed, Question
from agents.analyst.grammar.telling import told_apart
from agents.analyst.grammar.timing import timing
from agents.analyst.grammar.when import Calendar, NoTime
from agents.analyst.intent import By, CountOf, Every, Group, Intent, Is, Measure, MetricOf, Ratio

_TRIED = 24
_DISTINCT = "count_distinct"
# Of all that a name may be, one alone goes with the rest of the question.
SETTLED = "settled"
# All that the figure is of or by is in its own rows.
OWN = "own"
UNKEPT = "unkept"


def complete(said: Fragment, vocabulary: Any, calendar: Calendar) -> list[Completed]:
    """The intents that a fragment of the whole question may be: several where a name fits several things as
    well. Raises `Refused` where there is none.
    """
    if said.saved:
        return [_saved(said, vocabulary, calendar)]
    said, features = _measured(_asked(said), vocabulary)
    found: dict[Intent, Completed] = {}
    refusals: list[Refused] = []
    for names, chosen in islice(choices(said, vocabulary), _TRIED):
        try:
            named = with_names(said, names)
            one = Question(named, vocabulary, calendar).completed()
        except Refused as refusal:
            refusals.append(refusal)
            continue
        intent = told_apart(one.intent, vocabulary, _themselves(named, vocabulary))
        own = (OWN,) if _is_own(named, vocabulary) else ()
        said_of_it = (*features, *chosen, *one.features, *own)
        for meant in (intent, *besides(intent, vocabulary)):
            found.setdefault(meant, replace(one, intent=meant, features=said_of_it))
    if not found:
        raise refusals[0] if refusals else Refused("no_metric")
    if any(one.key == "no_grain" for one in refusals):
        # What rather is meant is not kept so finely: orders by the hour.
        return [replace(one, features=(*one.features, UNKEPT)) for one in found.values()]
    more = (SETTLED,) if len(found) == 1 and refusals else ()
    return [replace(one, features=(*one.features, *more)) for one in found.values()]


def _is_own(said: Fragment, vocabulary: Any) -> bool:
    metrics = metrics_in(said.measures)
    names = dimension_names(said)
    return all(any(one.distance == 0 for one in vocabulary.resolve(name, metrics)) for name in names)


def _saved(said: Fragment, vocabulary: Any, calendar: Calendar) -> Completed:
    """A question that has a name, in the time that is said. Raises `Refused`."""
    label = vocabulary.semantic.saved_queries[said.saved].label
    if replace(said, saved="", times=()) != EMPTY:
        raise Refused("saved_with", label)
    intent: Intent | None = vocabulary.saved(said.saved)
    if intent is None:
        raise Refused("saved_unread", label)
    try:
        times = timing(said.times, calendar)
    except NoTime as reason:
        raise Refused(f"time_{reason.key}", *reason.values) from reason
    if times.several or times.where:
        raise Refused("saved_with", label)
    return Completed(intent.model_copy(update={"window": times.window}), times=times)


def _asked(said: Fragment) -> Fragment:
    """With who or when is asked for as what the answer has a row for, unless that is said: when was our best
    month, who are our top customers.
    """
    if said.moment and not (said.direction or said.limit or said.by):
        raise Refused("asks_when")
    periods = any(not isinstance(one, By) for one in (*said.groups, *said.each))
    values = [(one.dimension, value) for one in said.where if isinstance(one, Is) for value in one.values]
    listed = len({name for name, _ in values}) < len(values)
    more: tuple[Group, ...] = ()
    if said.moment and not periods:
        more = (Every(grain=said.moment),)  # type: ignore[arg-type]
    elif said.who and said.wanted == "alone":
        # Who saw the most patients: no patient did.
        raise Refused("rank_what")
    elif said.who and not (said.groups or listed):
        more = (said.who,)
    if said.others and said.apart and said.others not in said.groups:
        # The others, one by one.
        more = (*more, said.others)
    return replace(said, groups=(*said.groups, *more), moment="", who=None, others=None)


def _themselves(said: Fragment, vocabulary: Any) -> set[str]:
    """The dimensions that are asked for as what they are: bike labels, and no bikes."""
    groups = [one.dimension for one in (*said.groups, *said.each) if isinstance(one, By)]
    return {name for name in groups if not vocabulary.is_entity(name) and not vocabulary.is_thing(name)}


def _measured(said: Fragment, vocabulary: Any) -> tuple[Fragment, tuple[str, ...]]:
    """With what a verb says as the measure, where nothing else is."""
    if said.whole is not None:
        return _part_of(said, said.whole, vocabulary), ()
    if len(said.measures) == 1 and isinstance(counted := said.measures[0], CountOf) and said.verbs:
        return _counted(said, counted), ()
    if said.asked:
        return replace(said, measures=tuple(_one_asked(one, vocabulary) for one in said.asked), asked=()), ()
    if said.measures and "share" in said.wraps and (ratio := _that_did(said)):
        return replace(
            said, measures=(ratio,), wraps=tuple(one for one in said.wraps if one != "share"), verbs=()
        ), ()
    if said.measures:
        return _slowest(said, vocabulary), ()
    if said.by is not None:
        return replace(said, measures=(said.by,)), ()
    if len(said.having) == 1 and said.having[0].measure:
        return replace(said, measures=(said.having[0].measure,)), ()
    if not said.verbs and said.wanted == "duration":
        lasting = [one for one in vocabulary.semantic.metrics if vocabulary.kind(one) == "duration"]
        return _filled_in(said, lasting)
    if not said.verbs:
        if not (said.groups or said.each or said.where or said.times or said.limit):
            raise Refused("no_metric")
        # What of it? The readings that are asked back show what there is.
        return _filled_in(said, _headlines(vocabulary))
    return replace(said, measures=(MetricOf(name=said.verbs[0]),), verbs=said.verbs[1:]), ("verb as measure",)


def _one_asked(asked: Asked, vocabulary: Any) -> MetricOf:
    """Of what it may be, that which is of the kind that is said of it."""
    kinds = KINDS.get(asked.kind.partition(":")[0])
    names = [
        one
        for one in asked.metrics.split(BETWEEN)
        if (kinds is None or vocabulary.kind(one) in kinds)
        and (not asked.beside or one in asked.beside.split(BETWEEN))
    ]
    if not names:
        raise Refused("not_of_kind", asked.kind, *asked.metrics.split(BETWEEN))
    return MetricOf(name=BETWEEN.join(names))


def _slowest(said: Fragment, vocabulary: Any) -> Fragment:
    """With what is named as what the slowest is found by, where it is a duration and nothing nearer was
    said: the stage that takes longest at p95.
    """
    if said.by is None or len(said.measures) != 1:
        return said
    (named,) = said.measures
    candidates = said.by.name.split(BETWEEN) if isinstance(said.by, MetricOf) else []
    if not isinstance(named, MetricOf) or named == said.by or not candidates:
        return said
    kinds = {vocabulary.kind(one) for one in (*candidates, *named.name.split(BETWEEN))}
    return replace(said, by=named) if kinds == {"duration"} else said


def _that_did(said: Fragment) -> Ratio | None:
    """What fraction of orders was cancelled: orders cancelled to orders."""
    if len(said.measures) != 1 or len(said.verbs) != 1 or not isinstance(whole := said.measures[0], MetricOf):
        return None
    words = set(whole.name.split("_"))
    parts = [one for one in said.verbs[0].split(BETWEEN) if words < set(one.split("_"))]
    return Ratio(numerator=MetricOf(name=parts[0]), denominator=whole) if len(parts) == 1 else None


def _part_of(said: Fragment, whole: Measure, vocabulary: Any) -> Fragment:
    """What share of the rides in March ended as refunds: the project's own rate of them, or the one figure in
    the measure of the other, where both are of the same rows.
    """
    found = [one.name for one in said.measures if isinstance(one, MetricOf)] or list(said.verbs)
    if len(found) != 1 or len(said.measures) > 1 or said.part is not None or not isinstance(whole, MetricOf):
        raise Refused("share_of_what")
    metrics = vocabulary.semantic.metrics
    pairs = [
        (metrics[part], metrics[of])
        for part in found[0].split(BETWEEN)
        for of in whole.name.split(BETWEEN)
        if part != of
    ]
    rates = [
        part.name for part, of in pairs if vocabulary.kind(part.name) == "ratio" and of.name in part.inputs
    ]
    parts = [
        (part.name, of.name)
        for part, of in pairs
        if set(part.tables) & set(of.tables)
        and _of_one_thing(part, of)
        and vocabulary.kind(part.name) == vocabulary.kind(of.name) != "ratio"
        # Of orders that have several rows no rows are a part.
        and (of.aggregation != _DISTINCT or part.aggregation == _DISTINCT)
    ]
    if not rates and not parts:
        raise Refused("share_of_what")
    measure: Measure = MetricOf(name=_either(rates))
    if not rates:
        top, bottom = (MetricOf(name=_either(names)) for names in zip(*parts, strict=True))
        measure = Ratio(numerator=top, denominator=bottom)
    rest = tuple(one for one in said.wraps if one != "share")
    return replace(
        said,
        measures=(measure,),
        verbs=said.verbs if said.measures else (),
        wraps=rest,
        whole=None,
        wanted="" if said.wanted == "ratio" else said.wanted,
    )


def _of_one_thing(part: Any, whole: Any) -> bool:
    """Whether both are numbers of the same things; items sent back are no part of orders."""
    things = {one.counts or one.counts_some for one in (part, whole)}
    return len(things) == 1 or bool(set(part.name.split("_")) & set(whole.name.split("_")))


def _either(names: Iterable[str]) -> str:
    return BETWEEN.join(dict.fromkeys(names))


def _filled_in(said: Fragment, metrics: list[str]) -> tuple[Fragment, tuple[str, ...]]:
    if not metrics:
        raise Refused("no_metric")
    return replace(said, measures=(MetricOf(name=BETWEEN.join(metrics)),)), ("metric filled in",)


def _headlines(vocabulary: Any) -> list[str]:
    """What people mostly mean when they name no figure: amounts of money, then counts, that add up."""
    summed = [
        one for one in vocabulary.semantic.metrics.values() if one.additivity.kind in ("additive", "distinct")
    ]
    order = ("money", "count")
    kinds = {one.name: vocabulary.kind(one.name) for one in summed}
    plain = [one.name for one in summed if one.kind == "simple" and kinds[one.name] in order]
    return sorted(plain, key=lambda name: order.index(kinds[name]))[:_TRIED]


def _counted(said: Fragment, counted: CountOf) -> Fragment:
    """Things counted by what they did: customers who ordered, customers who ordered at least five times."""
    verb, *rest = said.verbs
    if len(said.having) == 1 and said.having[0].measure is None:
        bound = replace(said.having[0], measure=MetricOf(name=verb))
        return replace(said, having=(bound,), verbs=tuple(rest))
    among = counted.model_copy(update={"among": counted.among or verb})
    return replace(said, measures=(among,), verbs=tuple(rest))
