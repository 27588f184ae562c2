"""What is done in a project, with whom, with what, in everyday words: verbs, nouns, superlatives."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from agents.analyst.grammar.chart import Phrase
from agents.analyst.grammar.text import Unit, fold, keys, units
from agents.analyst.grammar.words import word
from agents.analyst.vocabulary.concepts import concepts
from agents.analyst.vocabulary.kinds import kind, measured, plain, typical, worse
from agents.analyst.vocabulary.names import ALIKE, HEAD, STRONG, Name, chinese
from agents.analyst.vocabulary.phrases import Phrases
from agents.analyst.vocabulary.reach import BETWEEN, Reach
from warehouse.semantic import SemanticLayer

METRIC, VERB, MENTION, ENTITY, SUPERLATIVE = "metric", "verb", "mention", "entity", "superlative"
DIMENSION, WHOEVER, WHEREABOUTS, PER_HEAD = "dimension", "whoever", "whereabouts", "per_head"
COMPARED_BY = "compared_by"
_EXACT = (METRIC, ENTITY, SUPERLATIVE, WHOEVER, WHEREABOUTS, PER_HEAD, COMPARED_BY)
# What may follow a Chinese verb and says nothing of its own, and what may stand before one.
_PARTICLES = frozenset("了过出去掉到来回完走给下成")
_PASSIVE = "被"
_THING, LIGHT = "mention:thing", "light"
_COUNTED_BY = {"per", "by", "each", "每", "均"}
_DONE = re.compile(
    r"(?!order|sort|rank|group|filter|segment|separat|divid|arrang|organi|measur|list|limit|break)\w+ed"
    r"|bought|sold|made|sent|taken|given|paid|spent|ridden|written|seen|brought|driven"
)
_OBJECTS = frozenset(["my", "the", "this", "that", "these", "those", "all", "a", "an"])


class Doings:
    """Verbs: what each asks for, and beside which metrics it says nothing new; and the same of nouns."""

    def __init__(self, semantic: SemanticLayer, reach: Reach, names: Phrases) -> None:
        self._semantic, self._reach, self._names = semantic, reach, names
        self._phrases, self._of_people = Phrases(), Phrases()
        self._beside: dict[str, str] = {}
        people = concepts()["kinds"]["people"]
        self._people = {keys(word) for word in (*people["says"], *people["are"], *people["of"])}
        for doing in concepts()["doings"].values():
            self._add(doing)
        self._add_units()
        self._add_superlatives()
        for one in concepts()["figures"].values():
            self._add_figure(one)
        everything = BETWEEN.join(sorted(semantic.metrics))
        for said in concepts()["light"]:
            self._phrases.add(said, MENTION, everything, LIGHT)
        for one in concepts()["kinds"].values():
            of = self._called(one["are"], ENTITY)
            for said in one["says"] if of else ():
                self._phrases.add(said, ENTITY, BETWEEN.join(sorted(of)), "name:kind")
                self._mention(said, of)
            self._ask(one, "asked", WHOEVER, of)
            self._ask(one, "per", PER_HEAD, of)
        places = concepts()["places"]
        self._ask(places, "asked", WHEREABOUTS, self._called(places["are"], DIMENSION))

    def mentions(self, names: Mapping[str, Iterable[Name]]) -> None:
        """Let what entities are called be said beside the metrics whose rows are of one."""
        for entity, known in names.items():
            for name in known:
                self._mention(name.text, (entity,))

    def topics(self, dimensions: Mapping[str, Iterable[Name]], metrics: Mapping[str, Iterable[Name]]) -> None:
        """Let what a figure's own name says be said once more beside it: how long do tools take?"""
        paths = {name: [one.path for one in known if one.source in STRONG] for name, known in metrics.items()}
        said = {one.path: one.text for known in dimensions.values() for one in known if one.source in STRONG}
        for path, text in said.items():
            short = len(path) == 1 and not path[0].isascii()
            of = (
                ()
                if short
                else [name for name, own in paths.items() if any(_is_within(path, one) for one in own)]
            )
            if of:
                self._phrases.add(text, MENTION, BETWEEN.join(sorted(of)), _THING)

    def written(self) -> Iterator[str]:
        return self._phrases.written()

    def match(self, text: Sequence[Unit], start: int) -> Iterator[Phrase]:
        first = start + 1 if text[start].text == _PASSIVE and start + 1 < len(text) else start
        matched = [*self._phrases.match(text, first)]
        if self._speaks_of_people(text):
            matched += self._of_people.match(text, first)
        longest = max((found.end for found in matched if found.category == VERB), default=0)
        for found in matched:
            # To bring in is more than to bring.
            if LIGHT in found.features and (found.end < longest or _is_noun(text, found)):
                continue
            if found.category in _EXACT or found.features[1:] == (_THING,):
                if first == start and not (found.category == MENTION and self._is_chosen(text, found)):
                    yield from self._counted(text, _several(text, found))
                continue
            ends = [found.end]
            while text[found.end - 1].chinese and ends[-1] < len(text) and text[ends[-1]].text in _PARTICLES:
                ends.append(ends[-1] + 1)
            for end in ends:
                yield word(found.category, start, end, found.value, *found.features[1:])

    def commands(self, text: Sequence[Unit]) -> bool:
        """`Cancel my appointment`: what is done by nobody here."""
        first = text[0].text
        bare = first.isascii() and not first.endswith(("ed", "ing", "s"))
        if not bare or len(text) < 2 or text[1].text not in _OBJECTS:
            return False
        return any(found.category == VERB and found.end == 1 for found in self._phrases.match(text, 0))

    def _speaks_of_people(self, text: Sequence[Unit]) -> bool:
        path = [unit.key for unit in text]
        return any(
            (key,) in self._people or tuple(path[at : at + 2]) in self._people for at, key in enumerate(path)
        )

    def _is_chosen(self, text: Sequence[Unit], found: Phrase) -> bool:
        """Whether a thing is what the answer has a row for: each customer, the team with the most."""
        before = text[found.start - 1].text if found.start else ""
        after = text[found.end].text if found.end < len(text) else ""
        if before == "by" and found.start > 1 and _DONE.fullmatch(text[found.start - 2].text):
            # Orders placed by customers.
            return False
        return before in concepts()["choosing"] or after == "with"

    def _counted(self, text: Sequence[Unit], found: Phrase) -> Iterator[Phrase]:
        """A thing that is asked the number of is no mention beside what counts something else: how many
        customers returned something.
        """
        if found.category != MENTION or not self._is_asked_for(text, found.start):
            yield found
            return
        said = {unit.key for unit in text[found.start : found.end]}
        beside = [name for name in str(found.value).split(BETWEEN) if self._counts(name, said)]
        if beside:
            yield word(MENTION, found.start, found.end, BETWEEN.join(beside), *found.features[1:])

    def _is_asked_for(self, text: Sequence[Unit], start: int) -> bool:
        """Whether the number of what is said there is asked: how many (German) customers."""
        while start and (text[start - 1].text in concepts()["counters"] or not self._is_own(text, start - 1)):
            before = [unit.text for unit in text[max(0, start - 3) : start]]
            if any(before[-len(said) :] == said for said in map(_texts, concepts()["how many"])):
                return True
            start -= 1
        return False

    def _is_own(self, text: Sequence[Unit], start: int) -> bool:
        """Whether a name or a doing of the project begins there."""
        return any(True for known in (self._names, self._phrases) for _ in known.match(text, start))

    def _counts(self, metric: str, said: Collection[str]) -> bool:
        """Whether a metric is the number of such things, by its entity or by what it is called."""
        one = self._semantic.metrics[metric]
        called = [one.name.replace("_", " "), one.label, one.label_zh, *one.synonyms_en, *one.synonyms_zh]
        if one.counts:
            entity = self._semantic.entities[one.counts]
            called += [entity.name, entity.label, entity.label_zh, *entity.synonyms_en, *entity.synonyms_zh]
        return any(set(said) <= set(keys(name)) for name in called)

    def _add(self, doing: Mapping[str, Any]) -> None:
        asked = doing.get("asks", ())
        asks = self._called(asked, METRIC, HEAD) or self._called(asked, METRIC)
        asks = asks or self._else(doing.get("else", ()))
        asks |= self._of_kind(doing.get("kind", "")) | self._holding(doing.get("holding", ()))
        beside = self._called(doing.get("beside", ()), METRIC)
        of_people = asks | self._called(doing.get("of_people", ()), METRIC)
        tables = {
            table
            for name in self._called(doing.get("about", ()), ENTITY)
            for table in self._semantic.entities[name].keyed or self._semantic.entities[name].tables
        }
        about = beside | {
            metric.name for metric in self._semantic.metrics.values() if tables & set(metric.tables)
        }
        if of := doing.get("kind"):
            metrics = self._semantic.metrics
            about |= {name for name, metric in metrics.items() if kind(metric, metrics) == of}
        for said in doing["says"]:
            self._say(self._phrases, said, VERB, asks)
            self._say(self._phrases, said, MENTION, asks | about)
            if of_people != asks:
                self._say(self._of_people, said, VERB, of_people)
                self._say(self._of_people, said, MENTION, of_people | about)

    def _add_units(self) -> None:
        """How many tonnes: what is measured in them."""
        for line in concepts()["units"]:
            of = {metric.name for metric in self._semantic.metrics.values() if measured(metric, line)}
            for said in line:
                self._say(self._phrases, said, VERB, of)
                self._say(self._phrases, said, MENTION, of)

    def _holding(self, words: Iterable[str]) -> set[str]:
        return {
            metric.name
            for metric in self._semantic.metrics.values()
            for said in (metric.label, metric.label_zh, metric.name.replace("_", " "))
            if any(word in said for word in words)
        }

    def _of_kind(self, of: str) -> set[str]:
        return {metric.name for metric in typical(self._semantic.metrics, of)} if of else set()

    def _add_figure(self, figure: Mapping[str, Any]) -> None:
        """A noun for any of several metrics, but for what the project itself calls a metric of its own."""
        for names in (figure["asks"], figure.get("else", ())):
            certain = self._called(names, METRIC, HEAD)
            if of := certain or self._called(names, METRIC):
                source = ALIKE if certain else HEAD
                break
        else:
            return
        for said in figure["says"]:
            if not self._names.meanings(keys(said), METRIC):
                self._phrases.add(said, METRIC, BETWEEN.join(sorted(of)), f"name:{source}")

    def _add_superlatives(self) -> None:
        """`the slowest tool`, `most reliable`: from which end, by which of the metrics."""
        metrics = self._semantic.metrics
        meant: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        for metric in metrics.values():
            for end, words in (("desc", metric.words_high), ("asc", metric.words_low)):
                for said in set(words) - set(concepts()["ends"]):
                    for way in _superlative(said):
                        meant[way, end, ""].add(metric.name)
        meant = {
            way: {one.name for one in plain([metrics[name] for name in sorted(names)])}
            for way, names in meant.items()
        }
        own = {said for said, *_ in meant}
        vague: set[str] = set()
        for one in concepts()["superlatives"]:
            asked = self._called(one.get("asks", ()), METRIC, HEAD) | self._of_kind(one.get("kind", ""))
            asked = asked or self._called(one.get("else", ()), METRIC, HEAD)
            things = self._called(one.get("of", ()), ENTITY) or self._called(one.get("of", ()), DIMENSION)
            if "of" in one and not things:
                continue
            for said in set(one["says"]) - own:
                meant.setdefault((said, one["from"], BETWEEN.join(sorted(things))), set()).update(asked)
                if one.get("vague"):
                    vague.add(said)
        for (said, end, of), names in meant.items():
            if names:
                figures = end, BETWEEN.join(sorted(names))
                features = ("vague",) if said in vague else ()
                self._phrases.add(said, SUPERLATIVE, (*figures, *filter(None, [of])), *features)
                for way in () if of else _comparatives(said):
                    self._phrases.add(way, COMPARED_BY, figures, *features)

    def _ask(self, kind: Mapping[str, Any], how: str, category: str, of: Collection[str]) -> None:
        """`Who`, `where`, `per head`: what people and places there are."""
        for said in kind.get(how, ()) if of else ():
            self._phrases.add(said, category, BETWEEN.join(sorted(of)))

    @staticmethod
    def _say(phrases: Phrases, said: str, category: str, metrics: Collection[str]) -> None:
        if metrics:
            phrases.add(said, category, BETWEEN.join(sorted(metrics)))

    def _else(self, names: Iterable[str] | str) -> set[str]:
        if names != "money":
            return self._called(names, METRIC)
        metrics = self._semantic.metrics
        return {
            name
            for name, metric in metrics.items()
            if metric.additivity.kind == "additive"
            and (of := kind(metric, metrics)) in ("money", "unknown")
            and worse(metric, of) != "high"
        }

    def _called(self, names: Iterable[str], category: str, *but_for: str) -> set[str]:
        without = {f"name:{source}" for source in (ALIKE, *but_for)}
        return {one for name in names for one in self._names.meanings(keys(name), category, without)}

    def _mention(self, said: str, entities: Collection[str]) -> None:
        of = BETWEEN.join(sorted(entities))
        if of not in self._beside:
            metrics = sorted(self._semantic.metrics)
            self._beside[of] = BETWEEN.join(one for one in metrics if self._reach.has_entity(one, of))
        if self._beside[of]:
            self._phrases.add(said, MENTION, self._beside[of], _THING)


def _is_noun(text: Sequence[Unit], found: Phrase) -> bool:
    """The log of a run is nothing that is logged."""
    before = text[found.start - 1].text if found.start else ""
    after = text[found.end].text if found.end < len(text) else ""
    return before in _OBJECTS and after == "of"


def _is_within(path: Sequence[str], name: Sequence[str]) -> bool:
    """Whether a name says a word and more, of its own and not as what it is counted by: tool failures."""
    starts = range(len(name) - len(path) + 1)
    return len(name) > len(path) and any(
        tuple(name[at : at + len(path)]) == tuple(path) and not set(name[:at][-1:]) & _COUNTED_BY
        for at in starts
    )


def _texts(phrase: str) -> list[str]:
    return [unit.text for unit in units(fold(phrase))]


def _several(text: Sequence[Unit], found: Phrase) -> Phrase:
    """Best sellers are not one, and in Chinese nobody says how many they are."""
    last = text[found.end - 1]
    if found.category != SUPERLATIVE or not isinstance(found.value, tuple) or len(found.value) < 3:
        return found
    value = (*found.value, True) if last.chinese or last.text.endswith("s") else found.value
    return word(SUPERLATIVE, found.start, found.end, value, *found.features[1:])


def _superlative(word: str) -> tuple[str, ...]:
    """The superlative of a word, if it is none itself."""
    if chinese(word):
        return (word,) if word.startswith("最") else (f"最{word}",)
    return (word,) if word.endswith("est") else (f"most {word}",)


def _comparatives(superlative: str) -> tuple[str, ...]:
    """`slower`, `slower than`, 更慢."""
    if chinese(superlative):
        return (superlative.replace("最", "更", 1),) if superlative.startswith("最") else ()
    first, _, rest = superlative.partition(" ")
    if first in ("most", "least") and rest:
        said = f"{'more' if first == 'most' else 'less'} {rest}"
    elif superlative.endswith("est") and not rest:
        said = f"{superlative[:-2]}r"
    else:
        return ()
    return said, f"{said} than"
