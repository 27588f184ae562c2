"""A follow-up put together with the question that it follows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pydantic import BaseModel

from agents.analyst.intent import (
    AllOf,
    AtPart,
    By,
    Change,
    Condition,
    Every,
    Group,
    Intent,
    Is,
    Measure,
    MetricOf,
    Not,
    Order,
    PartOf,
    Periods,
    Running,
    Share,
)

Part = Literal["measures", "groups", "where", "window", "against", "having", "order", "limit"]
Way = Literal["change", "add", "drop"]
PARTS: tuple[Part, ...] = get_args(Part)


@dataclass(frozen=True)
class FollowUp:
    """What was said: the parts in `said` of an intent whose other parts were only filled in from the question
    before, and what becomes of what was said there of the same parts.
    """

    intent: Intent
    said: frozenset[Part]
    way: Way = "change"


def merge(previous: Intent, follow: FollowUp) -> Intent | None:
    """The question before, with what the follow-up says in it. What depended on what is gone goes with it:
    the earlier period with the period, an order with its measure or its group. None where what is to go was
    never there.
    """
    new, said = follow.intent, follow.said
    if follow.way == "drop":
        dropped = _dropped(previous, follow)
        return dropped and _fitting(dropped)
    found: dict[str, Any] = dict(previous)
    if "groups" in said:
        found["groups"] = _groups(previous.groups, new.groups, follow.way)
        found["partition"] = new.partition or previous.partition
    if "where" in said:
        found |= _where_of(previous, new.where)
    if "window" in said:
        found |= {"window": new.window, "against": None}
        found["groups"] = tuple(one for one in found["groups"] if not isinstance(one, Periods))
        found["groups"] += tuple(one for one in new.groups if isinstance(one, Periods))
    if "against" in said:
        found |= {"window": new.window, "against": new.against}
    if "measures" in said:
        found |= _measures(previous, new, follow.way)
    if "having" in said:
        found["having"] = new.having
    if "order" in said:
        found["order"] = new.order
    if "limit" in said:
        found["limit"] = new.limit
        found["order"] = found["order"] or new.order
    return _fitting(Intent(**found))


def _measures(previous: Intent, new: Intent, way: Way) -> dict[str, Any]:
    """A metric takes the place of the one before in all that is made of it: its share, its order. What is
    more than a metric takes the place of all.
    """
    if way == "add":
        return {"measures": tuple(dict.fromkeys((*previous.measures, *new.measures)))}
    old = set(_metrics(previous.measures))
    (first, *others) = new.measures
    if len(old) == 1 and not others and isinstance(first, MetricOf) and first.name not in old:
        taken = _replaced(previous, MetricOf(name=old.pop()), first)
        return {"measures": taken.measures, "order": taken.order}
    order = previous.order
    if order and not isinstance(order.by, By | Every | PartOf | Periods):
        order = order.model_copy(update={"by": first})
    return {"measures": new.measures, "order": order}


def _groups(previous: tuple[Group, ...], new: tuple[Group, ...], way: Way) -> tuple[Group, ...]:
    return tuple(dict.fromkeys((*previous, *new))) if way == "add" else new


def _where_of(previous: Intent, new: Condition | None) -> dict[str, Any]:
    """Some values of what shares are by: these shares, still of the whole."""
    group = By(dimension=new.dimension) if isinstance(new, Is) else None
    shares = [one for one in previous.measures if isinstance(one, Share) and not (one.of_which or one.within)]
    if not isinstance(new, Is) or group not in previous.groups or len(shares) < len(previous.measures):
        return {"where": _where(previous.where, new)}
    each = [new.model_copy(update={"values": (value,)}) for value in new.values]
    return {
        "measures": tuple(Share(of=share.of, of_which=one) for share in shares for one in each),
        "groups": tuple(one for one in previous.groups if one != group),
    }


def _where(previous: Condition | None, new: Condition | None) -> Condition | None:
    """Of the same dimensions the new one holds, of others both do. Of several values some may go."""
    if previous is None or new is None:
        return new
    old = previous.of if isinstance(previous, AllOf) else (previous,)
    if isinstance(new, Not) and isinstance(new.of, Is):
        fewer = tuple(_less(one, new.of) for one in old)
        if None not in fewer and fewer != old:
            return _all_of(one for one in fewer if one is not None)
    said = set(_dimensions(new))
    kept = tuple(one for one in old if not said.intersection(_dimensions(one)))
    added = new.of if isinstance(new, AllOf) else (new,)
    return _all_of((*kept, *added))


def _all_of(conditions: Iterable[Condition]) -> Condition | None:
    of = tuple(conditions)
    return AllOf(of=of) if len(of) > 1 else next(iter(of), None)


def _dropped(previous: Intent, follow: FollowUp) -> Intent | None:
    """Without the groups, conditions, measures that were named; without all of a part that has but one."""
    found: dict[str, Any] = dict(previous)
    new, said = follow.intent, follow.said
    if "groups" in said:
        found["groups"] = tuple(one for one in previous.groups if one not in new.groups)
    if "where" in said:
        found["where"] = _without(previous.where, new.where)
    if "measures" in said:
        found["measures"] = _left(previous.measures, new.measures)
    if "window" in said:
        found["window"] = None if new.window == previous.window else previous.window
    for part in ("against", "having", "order", "limit"):
        if part in said:
            found[part] = () if part == "having" else None
    changed = all(found[part] != getattr(previous, part) for part in said)
    return Intent(**found) if changed else None


def _left(previous: tuple[Measure, ...], gone: tuple[Measure, ...]) -> tuple[Measure, ...]:
    """Of several figures the others; of one what it is made of: no running total, no share."""
    left = tuple(one for one in previous if one not in gone)
    made = (one.of if isinstance(one, Change | Running | Share) else one for one in previous)
    return left or tuple(dict.fromkeys(made))


def _without(previous: Condition | None, gone: Condition | None) -> Condition | None:
    """A value that was asked for is no longer; one that was not, of what nothing was said, is left out."""
    if gone is None:
        return previous
    old = () if previous is None else previous.of if isinstance(previous, AllOf) else (previous,)
    found: list[Condition | None] = [*old]
    for one in gone.of if isinstance(gone, AllOf) else (gone,):
        same = [at for at, had in enumerate(found) if had and {*_dimensions(had)} & {*_dimensions(one)}]
        if not same:
            found.append(one.of if isinstance(one, Not) else Not(of=one))
        for at in same:
            found[at] = (had := found[at]) and _less(had, one)
    return _all_of(one for one in found if one is not None)


def _less(had: Condition, gone: Condition) -> Condition | None:
    """A condition without some of its values; as it was where it has none of them."""
    if not (isinstance(had, Is) and isinstance(gone, Is)):
        return None if had == gone else had
    values = tuple(one for one in had.values if one not in gone.values)
    return had.model_copy(update={"values": values}) if values else None


def _fitting(intent: Intent) -> Intent:
    """Without what no longer has what it is about."""
    changes: dict[str, Any] = {}
    groups = intent.groups
    partition = tuple(one for one in intent.partition if one in groups)
    changes["partition"] = partition if len(partition) < len(groups) else ()
    if intent.window is None:
        changes["against"] = None
    order = intent.order
    if order and isinstance(order.by, By | Every | PartOf | Periods) and order.by not in groups:
        order = None
    if order and order.part != "value" and (intent.against is None or "against" in changes):
        order = Order(by=order.by, direction=order.direction)
    if not groups:
        order = None
        changes |= {"limit": None, "having": ()}
    changes["order"] = order
    if not any(isinstance(one, Every) or (isinstance(one, By) and one.grain) for one in groups):
        changes["measures"] = tuple(_without_course(one) for one in intent.measures)
    if not groups:
        changes["measures"] = tuple(_without_share(one) for one in changes["measures"])
    return intent.model_copy(update=changes)


def _without_course(measure: Measure) -> Measure:
    """What is measured along a series, without one."""
    return measure.of if isinstance(measure, Change | Running) else measure


def _without_share(measure: Measure) -> Measure:
    """Of the whole there is no share of the whole."""
    return measure.of if isinstance(measure, Share) and measure.of_which is None else measure


def _replaced(node: Any, old: MetricOf, new: MetricOf) -> Any:
    if node == old:
        return new
    if isinstance(node, tuple):
        return tuple(_replaced(one, old, new) for one in node)
    if isinstance(node, BaseModel):
        return node.model_copy(update={name: _replaced(value, old, new) for name, value in node})
    return node


def _metrics(measures: Iterable[Any]) -> Iterator[str]:
    for node in measures:
        if isinstance(node, MetricOf):
            yield node.name
        elif isinstance(node, tuple):
            yield from _metrics(node)
        elif isinstance(node, BaseModel):
            yield from _metrics(value for _, value in node)


def _dimensions(node: Any) -> Iterator[str]:
    """The dimensions, or parts of the time, that a condition is about."""
    if isinstance(node, AtPart):
        yield node.part
    elif isinstance(node, BaseModel):
        for name, value in node:
            if name == "dimension":
                yield value
            else:
                yield from _dimensions(value)
    elif isinstance(node, tuple):
        for one in node:
            yield from _dimensions(one)
