"""What names may be as long as several things have them, and a fragment once that is decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from operator import is_
from typing import Any

from pydantic import BaseModel

from agents.analyst.grammar.fragment import BETWEEN, Fragment, Refused
from agents.analyst.intent import CountOf, MetricOf

_FANS_OUT = "*"


def choices(said: Fragment, vocabulary: Any) -> Iterator[tuple[Mapping[str, str], list[str]]]:
    """Each way to read the names that may be several things: metrics first, what belongs to them then."""
    metrics = sorted(_metric_names(said))
    others = sorted(dimension_names(said))
    for chosen in product(*(name.split(BETWEEN) for name in metrics)):
        names = dict(zip(metrics, chosen, strict=True))
        reached = [_reached(vocabulary, name, tuple(dict.fromkeys(chosen))) for name in others]
        for dimensions in product(*reached):
            features = [feature for _, feature in dimensions if feature]
            yield names | dict(zip(others, (name for name, _ in dimensions), strict=True)), features


def _reached(vocabulary: Any, name: str, metrics: Sequence[str]) -> list[tuple[str, str]]:
    """What a name may be; another table's reason may be meant, or the metrics' own that ends so."""
    found = vocabulary.resolve(name, metrics)
    far = bool(found) and found[0].distance > 0
    own = vocabulary.ending_so(name, metrics) if far else []
    return [*_nearest(found), *((one, "") for one in own)]


def _nearest(choices: Sequence[Any]) -> list[tuple[str, str]]:
    """The metrics' own, or, where they have none, all that joins lead to, the nearer ones first."""
    if not choices:
        return [("", "")]
    near = choices[0].distance
    kept: dict[str, tuple[str, str]] = {}
    for one in choices:
        # The industry of the customer, not that of the quote's customer.
        thing = "__".join(one.name.split("__")[-2:])
        if (one.distance == near or near > 0) and thing not in kept:
            name = _FANS_OUT if one.fans_out else one.name
            kept[thing] = (name, "farther" if one.distance > near else "")
    return list(kept.values())


def _visited(item: Any, found: Callable[[BaseModel], None]) -> None:
    if isinstance(item, BaseModel):
        found(item)
        for _, child in item:
            _visited(child, found)
    elif isinstance(item, tuple):
        for one in item:
            _visited(one, found)


def _all(said: Fragment) -> tuple[Any, ...]:
    bounds = tuple(bound.measure for bound in said.having if bound.measure)
    return (
        said.measures,
        said.groups,
        said.each,
        said.per,
        said.who,
        said.where,
        said.part,
        said.by,
        said.whole,
        bounds,
    )


def _metric_names(said: Fragment) -> set[str]:
    names: set[str] = set()
    _visited(_all(said), lambda item: names.add(item.name) if isinstance(item, MetricOf) else None)
    _visited(
        _all(said), lambda item: names.add(item.among) if isinstance(item, CountOf) and item.among else None
    )
    return names


def dimension_names(said: Fragment) -> set[str]:
    names: set[str] = set()

    def add(item: BaseModel) -> None:
        if isinstance(item, CountOf):
            names.add(item.of)
        elif isinstance(name := getattr(item, "dimension", None), str):
            names.add(name)

    _visited(_all(said), add)
    return names


def with_names(said: Fragment, names: Mapping[str, str]) -> Fragment:
    """With each candidate's choice in its place; what has none is as it was, and not made again."""

    def renamed(item: Any) -> Any:
        if isinstance(item, tuple):
            made = tuple(map(renamed, item))
            return item if all(map(is_, made, item)) else made
        if not isinstance(item, BaseModel):
            return item
        values = {name: renamed(old) for name, old in item}
        for field in ("name", "among", "of", "dimension"):
            if isinstance(value := values.get(field), str) and value:
                if not (chosen := names.get(value, value)):
                    raise Refused("not_by", value)
                if chosen == _FANS_OUT:
                    raise Refused("fans_out", value)
                if chosen != value:
                    values[field] = chosen
        return item if all(values[name] is old for name, old in item) else type(item)(**values)

    return replace(
        said,
        measures=renamed(said.measures),
        groups=renamed(said.groups),
        each=renamed(said.each),
        per=renamed(said.per),
        who=renamed(said.who),
        where=renamed(said.where),
        part=renamed(said.part),
        by=renamed(said.by),
        whole=renamed(said.whole),
        having=tuple(replace(bound, measure=renamed(bound.measure)) for bound in said.having),
    )


def metrics_in(measures: Any) -> list[str]:
    names: list[str] = []
    _visited(measures, lambda item: names.append(item.name) if isinstance(item, MetricOf) else None)
    return names
