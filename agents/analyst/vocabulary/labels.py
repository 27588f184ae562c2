"""What each thing of a project is called in an answer: so that the words read back are that thing."""

from __future__ import annotations

from collections.abc import Iterator

from agents.analyst.grammar.text import keys
from agents.analyst.vocabulary.names import chinese, endings, spoken
from agents.analyst.vocabulary.phrases import Phrases
from agents.analyst.vocabulary.reach import BETWEEN, Reach
from warehouse.semantic import Dimension, Entity, Metric, SemanticLayer


class Labels:
    def __init__(self, semantic: SemanticLayer, reach: Reach, phrases: Phrases) -> None:
        self._semantic, self._reach, self._phrases = semantic, reach, phrases
        # One metric of those that are alike in what they have.
        alike = {(metric.tables, metric.dimensions): metric.name for metric in semantic.metrics.values()}
        self._metrics = [(name, frozenset(dimensions)) for (_, dimensions), name in alike.items()]
        self._known: dict[tuple[str, str], str] = {}

    def phrase(self, name: str, language: str) -> str:
        if (name, language) not in self._known:
            ways = list(self._ways(name, language))
            self._known[name, language] = next((way for way in ways if self._is_read_as(way, name)), ways[0])
        return self._known[name, language]

    def _ways(self, name: str, language: str) -> Iterator[str]:
        """What it may be called, the simplest first."""
        semantic = self._semantic
        if name in semantic.metrics:
            yield _label(semantic.metrics[name], language)
            yield spoken(name)
        elif name in semantic.entities:
            label = _entity_label(semantic.entities[name], language)
            for key in endings()["key_zh" if chinese(label) else "key_en"]:
                yield f"{label}{'' if chinese(label) else ' '}{key}"
        else:
            label = _label(semantic.dimensions[name], language)
            owners = [self._owner(entity, language) for entity in name.split("__")[:-1]]
            yield label
            for of in (owners[:1], owners[-1:], owners):
                if chinese(label) and all(map(chinese, of)):
                    yield "的".join((*of, label))
                else:
                    yield f"{label} ({' '.join(of).lower()})"

    def _is_read_as(self, text: str, name: str) -> bool:
        semantic = self._semantic
        if name not in semantic.dimensions:
            category = "metric" if name in semantic.metrics else "entity"
            return self._phrases.meanings(keys(text), category) == {name}
        found = BETWEEN.join(sorted(self._phrases.meanings(keys(text), "dimension")))
        for metric, dimensions in self._metrics:
            if found and name in dimensions:
                nearest, *others = self._reach.resolve(found, [metric])
                if others and others[0].distance == nearest.distance:
                    return False
                if nearest.name != name and not self._reach.same(nearest.name, name, metric):
                    return False
        return bool(found)

    def _owner(self, entity: str, language: str) -> str:
        known = self._semantic.entities.get(entity)
        return _entity_label(known, language) if known else spoken(entity)


def _label(thing: Metric | Dimension, language: str) -> str:
    return (thing.label_zh if language == "zh" else "") or thing.label


def _entity_label(entity: Entity, language: str) -> str:
    return (entity.label_zh if language == "zh" else "") or entity.label or spoken(entity.name).capitalize()
