"""What has more than one time: a shipment's, when it was sent and when it was delivered."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from agents.analyst.grammar.text import Unit, keys
from agents.analyst.vocabulary.concepts import concepts
from agents.analyst.vocabulary.names import spoken
from warehouse.semantic import Dimension, SemanticLayer

Path = tuple[str, ...]
_WHEN = re.compile(
    r"^(?:date|time|day)\b(?: of)?|\b(?:at|on|date|time|day|ts)$|(?:时间|日期|日|时刻)$", re.IGNORECASE
)


class Events:
    """What happens at each of a metric's times, by the time dimensions' names."""

    def __init__(self, semantic: SemanticLayer) -> None:
        self._semantic = semantic
        times = {name: one for name, one in semantic.dimensions.items() if one.type == "time"}
        self._own = {name: _own(dimension) for name, dimension in times.items()}
        self._called = {name: own | _alike(own) for name, own in self._own.items()}

    def others(self, text: Sequence[Unit], roles: Mapping[int, str], metrics: Sequence[str]) -> list[str]:
        """The times of all the metrics' rows, not their own, of which a question speaks: `delivered in
        October`, where shipments are counted by when they were sent. None where it speaks of their own too.
        """
        spoken_of: set[str] = set()
        for metric in metrics:
            found = self._times(metric)
            said = {name: self._is_said(self._own[name], text, roles) for name in found}
            if not any(said.values()):
                said = {name: self._is_said(self._called[name], text, roles) for name in found}
            if any(said[name] for name, own in found.items() if own):
                return []
            spoken_of |= {name for name, own in found.items() if not own and said[name]}
        return sorted(name for name in spoken_of if all(name in self._times(one) for one in metrics))

    def _times(self, metric: str) -> dict[str, bool]:
        """The times of a metric's own rows, and whether each is the one it is counted by."""
        own = dict(self._semantic.metrics[metric].sources)
        found: dict[tuple[str, str], str] = {}
        for name in self._semantic.metrics[metric].dimensions:
            dimension = self._semantic.dimensions.get(name)
            if dimension and dimension.type == "time" and dimension.model in own:
                key = (dimension.model, name.rpartition("__")[2])
                found[key] = min(found.get(key, name), name, key=lambda one: (one.count("__"), one))
        # What is kept by the minute and by the day is one time.
        counted = {self._column(name) for (model, element), name in found.items() if own[model] == element}
        return {name: self._column(name) in counted for name in found.values()}

    def _column(self, name: str) -> tuple[str, str]:
        dimension = self._semantic.dimensions[name]
        return dimension.table, dimension.expression

    @staticmethod
    def _is_said(called: Collection[Path], text: Sequence[Unit], roles: Mapping[int, str]) -> bool:
        path = tuple(unit.key for unit in text)
        longest = max(map(len, called), default=0)
        return any(
            path[at:end] in called
            and not {roles.get(place) for place in range(at, end)} & {"dimension", "value", "entity"}
            for at in range(len(path))
            for end in range(at + 1, min(len(path), at + longest) + 1)
        )


def _own(dimension: Dimension) -> set[Path]:
    """What happens at a time: delivered, of `delivered_at` or 签收时间."""
    element = spoken(dimension.name.rpartition("__")[2])
    texts = (element, dimension.label, dimension.label_zh, *dimension.synonyms_en, *dimension.synonyms_zh)
    return {keys(_WHEN.sub("", text).strip()) for text in texts if _WHEN.search(text)} - {()}


def _alike(own: Collection[Path]) -> set[Path]:
    """The everyday words for what happens then."""
    found: set[Path] = set()
    for doing in concepts()["doings"].values():
        says = {keys(said) for said in doing["says"]}
        if says & set(own):
            found |= says
    return found
