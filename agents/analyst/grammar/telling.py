"""Things of one name told apart: two customers who are called Wei Zhang are two rows, two in a count."""

from __future__ import annotations

from collections.abc import Collection
from operator import is_
from typing import Any

from pydantic import BaseModel

from agents.analyst.intent import By, CountOf, Group, Intent, Mean, MetricOf, QuantileOf


def told_apart(intent: Intent, vocabulary: Any, themselves: Collection[str] = ()) -> Intent:
    """The intent by the keys of things of which several have one name; their names are shown beside. What is
    asked for by `themselves` is meant as it is.
    """

    def key(name: str) -> str:
        return name.rpartition("__")[0] if name not in themselves and vocabulary.shared(name) else name

    def thing(name: str) -> str:
        """Each customer is one, whatever it is called."""
        own = name.rpartition("__")[0]
        named = vocabulary.is_entity(own) and vocabulary.naming(own) == name
        return own if named and name not in themselves else key(name)

    def groups(found: tuple[Group, ...]) -> tuple[Group, ...]:
        several = [
            one
            for group in found
            for one in (
                (By(dimension=key(group.dimension)), group)
                if isinstance(group, By) and group.grain is None
                else (group,)
            )
        ]
        return tuple(dict.fromkeys(several))

    def measure(item: Any) -> Any:
        if isinstance(item, tuple):
            made = tuple(map(measure, item))
            return item if all(map(is_, made, item)) else made
        if not isinstance(item, BaseModel):
            return item
        values = {name: measure(old) for name, old in item}
        if isinstance(item, CountOf):
            if item.among and not item.having and vocabulary.counted(item.among) == item.of:
                # The patients of those seen are the patients seen.
                return MetricOf(name=item.among)
            values["of"] = key(item.of)
        if isinstance(item, Mean | QuantileOf) and isinstance(item.per, By):
            values["per"] = By(dimension=thing(item.per.dimension), grain=item.per.grain)
        return item if all(values[name] is old for name, old in item) else type(item)(**values)

    return intent.model_copy(
        update={
            "measures": measure(intent.measures),
            "having": measure(intent.having),
            "order": measure(intent.order),
            "groups": groups(intent.groups),
            "partition": groups(intent.partition),
        }
    )
