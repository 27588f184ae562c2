"""A project's own words: what its metrics, dimensions, entities and values are called, and what each is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from math import inf
from typing import Literal, NamedTuple

from agents.analyst.grammar.chart import Phrase
from agents.analyst.grammar.text import Unit, keys
from agents.analyst.grammar.words import shipped
from agents.analyst.intent import Intent
from agents.analyst.vocabulary import kinds
from agents.analyst.vocabulary.concepts import alike
from agents.analyst.vocabulary.doings import Doings
from agents.analyst.vocabulary.events import Events
from agents.analyst.vocabulary.kept import REFRESH_SECONDS, Refreshed, read_shared_names, read_values
from agents.analyst.vocabulary.kinds import Kind
from agents.analyst.vocabulary.labels import Labels
from agents.analyst.vocabulary.names import (
    ALIKE,
    BARE,
    DERIVED,
    FORM,
    HEAD,
    LABEL,
    NAME,
    QUALIFIED,
    STRONG,
    SYNONYM,
    Name,
    chinese,
    dimension_names,
    entity_names,
    is_naming,
    key_names,
    metric_names,
    qualified_names,
    spoken,
)
from agents.analyst.vocabulary.phrases import Phrases
from agents.analyst.vocabulary.reach import BETWEEN, Choice, Reach
from agents.analyst.vocabulary.saved import intent
from agents.analyst.vocabulary.single import is_word
from agents.analyst.vocabulary.spelling import Spelling, Words
from agents.analyst.vocabulary.values import Values, columns
from warehouse.client import Warehouse
from warehouse.semantic import Dimension, Entity, SemanticLayer

Path = tuple[str, ...]


class _Said(NamedTuple):
    """What depends on the values of the day."""

    values: Values
    spelling: Spelling
    shared: Mapping[str, Mapping[str, int]]


class Vocabulary:
    """Built once for a project and shared; safe between threads.

    `values` are those of each dimension; `load` reads them from the warehouse, and again every few minutes.
    """

    def __init__(
        self,
        semantic: SemanticLayer,
        values: Mapping[str, Sequence[str]] | Callable[[], Mapping[str, Sequence[str]]],
        shared: Callable[[Iterable[tuple[str, str]]], Mapping[str, Mapping[str, int]]] | None = None,
    ) -> None:
        self.semantic = semantic
        self._reach = Reach(semantic)
        self._events = Events(semantic)
        called = _names(semantic)
        self._naming, self._things = _naming(semantic)
        self._phrases = _phrases(called)
        self._ending = _ending(called["dimension"])
        _add_saved(self._phrases, semantic)
        self._labels = Labels(semantic, self._reach, self._phrases)
        self._doings = Doings(semantic, self._reach, self._phrases)
        self._doings.mentions(called["entity"])
        self._doings.topics(called["dimension"], called["metric"])
        written = (self._phrases.written(), self._doings.written(), shipped().written())
        names = Words(chain(*written))

        def said() -> _Said:
            known = Values(columns(semantic, values() if callable(values) else values))
            alike = shared(_naming_keys(semantic)) if shared else {}
            return _Said(known, Spelling(names, Words(known.words())), alike)

        self._said = Refreshed(said, REFRESH_SECONDS if callable(values) else inf)

    @classmethod
    def load(cls, semantic: SemanticLayer, warehouse: Warehouse) -> Vocabulary:
        return cls(
            semantic,
            lambda: read_values(semantic, warehouse),
            lambda naming: read_shared_names(semantic, warehouse, naming),
        )

    @property
    def lexicon(self) -> Vocabulary:
        return self

    def match(self, text: Sequence[Unit], start: int) -> Iterator[Phrase]:
        """Every word of the project that begins at a position."""
        if start == 0 and self._doings.commands(text):
            return
        own: Iterable[Phrase] = chain(self._phrases.match(text, start), self._doings.match(text, start))
        own = (_as_dimension(one) for one in own)
        for one in own:
            if one.end > start + 1 or not text[start].chinese:
                yield one
            elif is_word(text, start):
                yield self._in_numbers(one)
        # How far is no distance that is far.
        if not start or text[start - 1].text != "how":
            yield from self._said.get().values.match(text, start)

    def _in_numbers(self, one: Phrase) -> Phrase:
        """What one character counts is no amount of money as well: 多少单."""
        if one.category != "metric":
            return one
        names = [name for name in str(one.value).split(BETWEEN) if self.kind(name) != "money"]
        return replace(one, value=BETWEEN.join(names)) if names else one

    def spelt(self, text: Sequence[Unit], words: Sequence[Phrase]) -> list[Phrase]:
        """What the words that nothing is known of must have been: `words` are all that is."""
        return self._said.get().spelling.corrected(text, words, self._any)

    def _any(self, text: Sequence[Unit], start: int) -> Iterator[Phrase]:
        yield from shipped().match(text, start)
        yield from self.match(text, start)

    def resolve(self, candidates: str, metrics: Sequence[str]) -> list[Choice]:
        """What all the metrics have among `a|b`, nearest first. Equally near ones: ask back."""
        return self._reach.resolve(candidates, metrics)

    def ending_so(self, candidates: str, metrics: Sequence[str]) -> list[str]:
        """The dimensions in the metrics' own rows whose names end in what these are called: the denial
        reason, of reason.
        """
        ends = {one for name in candidates.split(BETWEEN) for one in self._ending.get(name, ())}
        found = self.resolve(BETWEEN.join(sorted(ends)), metrics) if ends else []
        return [one.name for one in found if not one.distance and not one.fans_out]

    def nearest(self, candidates: str, metrics: Sequence[str]) -> list[str]:
        """The names of the nearest of these, several where none is nearer."""
        found = [one for one in self.resolve(candidates, metrics) if not one.fans_out]
        return [one.name for one in found if one.distance == found[0].distance]

    def has_entity(self, metric: str, candidates: str) -> bool:
        return self._reach.has_entity(metric, candidates)

    def has_several(self, entity: str, dimension: str) -> bool:
        """Whether one thing may be of several of a dimension's values."""
        return self._reach.has_several(entity, dimension)

    def named(self, entity: str, metrics: Sequence[str]) -> str:
        """What things are told apart by: the dimension of their names, or the entity itself."""
        known = self.semantic.metrics
        called = [
            name
            for name in self._naming.get(entity, ())
            if any(name in known[metric].dimensions for metric in metrics)
        ]
        found = self.resolve(BETWEEN.join(called), metrics) if called else []
        return found[0].name if found and not found[0].fans_out else entity

    def other_times(
        self, text: Sequence[Unit], roles: Mapping[int, str], metrics: Sequence[str]
    ) -> list[str]:
        """Times of the metrics' rows, not their own, of which a question speaks."""
        return self._events.others(text, roles, metrics)

    def is_entity(self, name: str) -> bool:
        return name in self.semantic.entities

    def naming(self, entity: str) -> str | None:
        """The dimension that has the names of an entity's things, the nearest one."""
        found = self._naming.get(entity, ())
        return min(found, key=lambda name: (name.count("__"), name), default=None)

    def shared(self, dimension: str) -> Mapping[str, int]:
        """The names in a dimension that several things have, and how many have each."""
        return self._said.get().shared.get(dimension, {})

    def is_thing(self, dimension: str) -> bool:
        """Whether a dimension is called what its things are: who asks for bike labels means these, and no
        bikes.
        """
        return dimension in self._things

    def saved(self, query: str) -> Intent | None:
        """What a saved query asks for; None where that is not understood."""
        return intent(self.semantic.saved_queries[query], self.semantic)

    def counts(self, entity: str) -> str | None:
        """The metric that is the number of an entity's things, none of them left out."""
        keyed = self.semantic.entities[entity].keyed
        for metric in self.semantic.metrics.values():
            # The customers of the orders are not all the customers there are.
            if metric.counts == entity and (not keyed or set(metric.tables) & set(keyed)):
                return metric.name
        return None

    def counted(self, metric: str) -> str:
        """The entity whose things a metric is the number of, of all or of some."""
        known = self.semantic.metrics[metric]
        return known.counts or known.counts_some

    def worse(self, metric: str) -> Literal["high", "low", ""]:
        return kinds.worse(self.semantic.metrics[metric], self.kind(metric))

    def averaged(self, metric: str) -> bool:
        """Whether a figure is an average, an extreme or a ratio already, which no sum is."""
        return self.semantic.metrics[metric].additivity.kind == "none"

    def unit(self, metric: str) -> str:
        return kinds.unit(self.semantic.metrics[metric])

    def kind(self, metric: str) -> Kind:
        return kinds.kind(self.semantic.metrics[metric], self.semantic.metrics)

    def phrase(self, name: str, language: str) -> str:
        """What a metric, dimension or entity is called and nothing else that a metric has is."""
        return self._labels.phrase(name, language)

    def spellings(self, dimension: str, said: str) -> tuple[str, ...]:
        """All the warehouse's own spellings of a value: `Active` and `active` are asked for together."""
        return self._said.get().values.spellings(dimension, said)

    def value(self, dimension: str, said: str) -> str | None:
        return next(iter(self.spellings(dimension, said)), None)


def _as_dimension(one: Phrase) -> Phrase:
    """The channel, of quotes that have one channel, is that one: the figure decides, unlike among figures."""
    if one.category != "dimension" or "name:head" not in one.features:
        return one
    return replace(one, features=tuple("name:dimension" if f == "name:head" else f for f in one.features))


Things = dict[str, dict[str, list[Name]]]
"""Category → name of the thing → what it is called."""


def _names(semantic: SemanticLayer) -> Things:
    entities = {name: entity_names(entity) for name, entity in semantic.entities.items()}
    dimensions: dict[str, list[Name]] = {}
    for name, dimension in semantic.dimensions.items():
        own = dimension_names(dimension, _named_entity(name, dimension, semantic))
        plain = [one for one in own if one.source in STRONG]
        owners = [entities[one] for one in reversed(name.split("__")[:-1]) if one in entities]
        # The region of a warehouse is that of its city, unless a warehouse has one of its own.
        way = [_joined(owners)] if len(owners) > 1 else []
        dimensions[name] = [
            *own,
            *(one for of in (*owners[:1], *way) for one in qualified_names(plain, of)),
            *(Name(one.text, DERIVED) for of in owners[1:] for one in qualified_names(plain, of)),
        ]
    metrics = {name: metric_names(metric) for name, metric in semantic.metrics.items()}
    keyed = {name: [*own, *(key for one in own for key in key_names(one))] for name, own in entities.items()}
    things = {"metric": metrics, "dimension": dimensions, "entity": keyed}
    return {
        category: {
            name: [*own, *_lent(own, entities if category == "metric" else {})] for name, own in known.items()
        }
        for category, known in things.items()
    }


def _lent(own: Sequence[Name], things: Mapping[str, Sequence[Name]]) -> list[Name]:
    """Everyday words for what has these names, none of them what the project calls other things: stations are
    not docks where there are stations.
    """
    called = {_singular(name.text) for names in things.values() for name in names}
    return [name for name in alike(own) if _singular(name.text) not in called]


def _singular(text: str) -> str:
    return text.lower().removesuffix("s")


def _ending(dimensions: Mapping[str, Sequence[Name]]) -> Mapping[str, set[str]]:
    """Of each dimension those whose names end in what it is called."""
    heads: dict[Path, set[str]] = defaultdict(set)
    for dimension, known in dimensions.items():
        for name in known:
            if name.source == HEAD:
                heads[name.path].add(dimension)
    return {
        dimension: {other for name in known if name.source in STRONG for other in heads.get(name.path, ())}
        for dimension, known in dimensions.items()
    }


def _naming_keys(semantic: SemanticLayer) -> Iterator[tuple[str, str]]:
    """Each dimension that things are called by, with the expression of their key."""
    for name, dimension in semantic.dimensions.items():
        entity = _named_entity(name, dimension, semantic)
        if entity and dimension.type == "categorical":
            yield name, entity.expression


def _naming(semantic: SemanticLayer) -> tuple[Mapping[str, Sequence[str]], set[str]]:
    """By entity the dimensions that its things are named by, and those that are called what these are."""
    found: dict[str, list[str]] = defaultdict(list)
    things = set()
    for name, dimension in sorted(semantic.dimensions.items()):
        if entity := _named_entity(name, dimension, semantic):
            found[entity.name].append(name)
            called = {one.path for one in entity_names(entity)}
            own = (dimension.label, dimension.label_zh, *dimension.synonyms_en, *dimension.synonyms_zh)
            if called & {keys(text) for text in own}:
                things.add(name)
    return found, things


def _joined(owners: Sequence[Sequence[Name]]) -> list[Name]:
    """The way over several things, the nearest to the metric first: the depot's city, 仓库的城市."""
    first, last = owners[-1], owners[0]
    texts = [
        f"{one.text}{'' if chinese(one.text) and chinese(other.text) else ' '}{other.text}"
        for one in first
        for other in last
    ]
    return [Name(text, QUALIFIED) for text in texts]


def _named_entity(name: str, dimension: Dimension, semantic: SemanticLayer) -> Entity | None:
    """The entity whose things the dimension's values are the names of."""
    path = name.split("__")[:-1]
    entity = semantic.entities.get(path[-1]) if path else None
    return entity if entity and is_naming(dimension, entity) else None


def _phrases(things: Things) -> Phrases:
    """Every name of every thing; nothing has a form of a name, or the end of one, that is another's own."""
    found = Phrases()
    for category, names in things.items():
        called: dict[Path, list[tuple[str, Name]]] = defaultdict(list)
        for thing, known in names.items():
            for name in known:
                called[name.path].append((thing, name))
        for given in called.values():
            rank = min(_RANK[name.source] for _, name in given)
            best = [(thing, name) for thing, name in given if _RANK[name.source] == rank]
            of = BETWEEN.join(sorted({thing for thing, _ in best}))
            source = min((name.source for _, name in best), key=list(_RANK).index)
            for text in {name.text for _, name in given}:
                found.add(text, category, of, f"name:{source}")
    return found


def _add_saved(phrases: Phrases, semantic: SemanticLayer) -> None:
    """The names of saved queries, but for those that are another thing's too: that is what is asked for."""
    for query in semantic.saved_queries.values():
        for text in {query.label, spoken(query.name)}:
            if not any(phrases.meanings(keys(text), one) for one in ("metric", "dimension", "entity")):
                phrases.add(text, "saved", query.name)


_RANK = {LABEL: 0, NAME: 0, SYNONYM: 0, QUALIFIED: 0, FORM: 1, DERIVED: 1, BARE: 2, HEAD: 3, ALIKE: 4}
