"""From a question's reading to a metric query: what is asked, split by what, of what, when, how ordered."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from agents.analyst.grammar.text import language as script
from agents.analyst.grammar.text import units as split_units
from agents.analyst.linker import lattice, leftovers, ordering, periods, roles, shapes, signals, suggest
from agents.analyst.linker.draft import Draft, Refusal
from agents.analyst.linker.lattice import Arc, Reading
from agents.analyst.linker.plan import Declined, Plan
from agents.analyst.linker.signals import Signal
from agents.analyst.linker.vocabulary import Meaning, Vocabulary
from agents.analyst.linker.wording import say
from warehouse.semantic import Dimension, Filter, Metric, MetricQuery, SemanticLayer

VALUES_TTL_S = 300.0
# Characters of a question; what reading costs grows with their square. The form of the DAG `ask` has it too.
LONGEST = 2000


class Linker:
    """Links questions over one semantic layer; `values` lists a dimension's values in the warehouse."""

    def __init__(self, semantic: SemanticLayer, values: Callable[[str], Sequence[str]]) -> None:
        self._semantic = semantic
        self._values = values
        self._vocabularies: dict[tuple[str, frozenset[str]], tuple[float, Vocabulary]] = {}

    def link(
        self, question: str, now: datetime, language: str = "auto", domain: str = "auto"
    ) -> Plan | Declined:
        """A plan, or a refusal with the nearest things one can ask. The warehouse's errors pass through."""
        spoken = script(question) if language == "auto" else language
        metrics = self._metrics(domain)
        if unread := _unread(question, spoken):
            return Declined(unread, suggest.nearest("", metrics, self._semantic, spoken or "en"))
        try:
            return self._plan(question, now, spoken, domain, metrics)
        except Refusal as refusal:
            options = suggest.nearest(question, metrics, self._semantic, spoken)
            return Declined(str(refusal), options, refusal.unlinked)

    def _plan(
        self, question: str, now: datetime, language: str, domain: str, metrics: Sequence[Metric]
    ) -> Plan:
        qualities = _qualities(metrics)
        vocabulary = self._vocabulary(domain, metrics, frozenset())
        reading = lattice.read(question, vocabulary, qualities, now)
        for arc in reading.arcs:
            if isinstance(arc.content, Signal) and arc.content.kind == "refuse":
                raise Refusal(_refused(arc.content.text, language, metrics), (arc.text,))
        spelling: list[str] = []
        # First the misspelt metric, if none is named; then the values of what the metrics are split by.
        for _ in range(2):
            if all(arc.content is not None for arc in reading.arcs):
                break
            named = {
                meaning.name for arc in reading.arcs for meaning in arc.names if meaning.kind == "metric"
            }
            valued = frozenset(name for m in metrics if m.name in named for name in m.dimensions)
            vocabulary = self._vocabulary(domain, metrics, valued)
            reading = lattice.read(question, vocabulary, qualities, now)
            question, notes = _spell(question, reading, vocabulary, language)
            if notes:
                spelling += notes
                reading = lattice.read(question, vocabulary, qualities, now)
        draft = Draft(
            reading, language, now, {metric.name: metric for metric in metrics}, assumptions=spelling
        )
        self._choose_metrics(draft, metrics)
        self._choose_filters(draft)
        self._choose_groups(draft)
        time_range = periods.choose(draft)
        shape = shapes.choose(draft, time_range)
        order = ordering.choose(draft, time_range)
        leftovers.check(draft)
        query = MetricQuery(
            metrics=tuple(metric.name for metric in draft.metrics),
            group_by=tuple(draft.group_by),
            filters=tuple(draft.filters),
            time_range=time_range.current,
            order_by=order.by,
            limit=order.limit,
        )
        return Plan(query, time_range.previous, tuple(draft.assumptions), shape)

    def _metrics(self, domain: str) -> list[Metric]:
        found = [m for m in self._semantic.metrics.values() if domain in ("auto", m.domain)]
        return found or list(self._semantic.metrics.values())

    def _vocabulary(self, domain: str, metrics: Sequence[Metric], valued: frozenset[str]) -> Vocabulary:
        """The words of a domain, and the values of the `valued` dimensions; kept as long as values are."""
        until, known = self._vocabularies.get((domain, valued), (0.0, None))
        if known is not None and until > time.monotonic():
            return known
        names = {name for metric in metrics for name in metric.dimensions}
        dimensions = {name: d for name, d in self._semantic.dimensions.items() if name in names}
        vocabulary = Vocabulary(metrics, dimensions)
        for name in sorted(valued):
            if name in dimensions and dimensions[name].type == "categorical":
                vocabulary.add_values(name, self._values(name))
        self._vocabularies[domain, valued] = (time.monotonic() + VALUES_TTL_S, vocabulary)
        return vocabulary

    def _choose_metrics(self, draft: Draft, metrics: Sequence[Metric]) -> None:
        wanted = _wanted_dimensions(draft.reading)
        arcs = [arc for arc in draft.reading.arcs if roles.is_metric(arc, draft.reading)]
        arcs = _without_context(draft, arcs)
        for arc in arcs:
            names = dict.fromkeys(m.name for m in sorted(arc.names, key=_weakness) if m.kind == "metric")
            options = [draft.known[name] for name in names]
            metric = _pick(draft, arc, options, wanted)
            if metric not in draft.metrics:
                draft.metrics.append(metric)
                draft.metric_arcs.append(arc)
        if not draft.metrics:
            inferred = suggest.infer(draft.reading, metrics, wanted)
            if not inferred:
                raise Refusal(say("no_metric", draft.language), leftovers.unread(draft.reading))
            said = draft.reading.folded.strip(" ?？")
            if len(inferred) > 1:
                raise draft.refuse("ambiguous", said, ", ".join(draft.label(metric) for metric in inferred))
            draft.metrics.append(inferred[0])
            draft.note("chosen", said, draft.label(inferred[0]))

    def _common(self, draft: Draft) -> tuple[str, ...]:
        common = self._semantic.common_dimensions([metric.name for metric in draft.metrics])
        if not common and len(draft.metrics) > 1 and _wanted_dimensions(draft.reading):
            raise draft.refuse("no_common", ", ".join(draft.label(metric) for metric in draft.metrics))
        return common

    def _choose_filters(self, draft: Draft) -> None:
        common = self._common(draft)
        chosen: dict[tuple[str, bool], list[str]] = {}
        negated, latest = False, ""
        for index, arc in enumerate(draft.reading.arcs):
            if arc not in draft.as_values and not roles.is_value(arc, draft.reading):
                continue
            options = [m for m in arc.names if m.kind == "value" and m.name in common]
            if not options:
                named = sorted(
                    {draft.label(self._semantic.dimensions[m.name]) for m in arc.names if m.kind == "value"}
                )
                raise draft.refuse(
                    "not_by", draft.label(draft.metrics[0]), f"{arc.text} ({', '.join(named)})"
                )
            joins = latest if roles.joined(draft.reading, index) else ""
            ranked = [
                (
                    # What "and" joins is of one kind: email and Facebook are both sources of one dimension.
                    (m.name != joins, self._mention(draft.reading, m.name), m.value.lower() != arc.text),
                    m.value,
                    m.name,
                )
                for m in options
            ]
            name = self._best(draft, arc, [(rank, own) for rank, _, own in ranked])
            best = Meaning("value", name, next(value for _, value, own in sorted(ranked) if own == name))
            latest = best.name
            chained = negated and roles.joined(draft.reading, index)
            negated = (
                roles.before(draft.reading, index, "not")
                or chained
                or roles.excluded_after(draft.reading, index)
            )
            chosen.setdefault((best.name, negated), []).append(best.value)
            if best.value.lower() != arc.text:
                draft.note("value", arc.text, draft.label(self._semantic.dimensions[best.name]), best.value)
            draft.consumed |= roles.beside(draft.reading, index, self._semantic.dimensions[best.name])
        for (name, excluded), values in chosen.items():
            distinct = tuple(dict.fromkeys(values))
            if excluded:
                draft.filters.append(Filter(name, "!=" if len(distinct) == 1 else "not in", distinct))
            else:
                draft.filters.append(Filter(name, "=" if len(distinct) == 1 else "in", distinct))
                if len(distinct) > 1:
                    draft.group_by.append(name)

    def _mention(self, reading: Reading, name: str) -> tuple[bool, bool, bool]:
        """How well the question names a dimension itself; the less the better."""
        said = [arc for arc in reading.arcs if Meaning("dimension", name) in arc.names]
        return min((_fit(self._semantic.dimensions[name], arc, name) for arc in said), default=(True,) * 3)

    def _best(self, draft: Draft, arc: Arc, ranked: Sequence[tuple[tuple[Any, ...], str]]) -> str:
        """The dimension of the least rank. Of several that fit alike none is guessed."""
        least = min(rank for rank, _ in ranked)
        alike = sorted({name for rank, name in ranked if rank == least})
        if len(alike) > 1:
            labels = [draft.label(self._semantic.dimensions[name]) for name in alike]
            owners = [re.sub("_+", " ", name.rpartition("__")[0]) for name in alike]
            shown = ", ".join(f"{label} ({owner})" for label, owner in zip(labels, owners, strict=True))
            raise draft.refuse("ambiguous_dimension", arc.text, shown)
        return alike[0]

    def _choose_groups(self, draft: Draft) -> None:
        common = self._common(draft)
        found: list[tuple[str, bool]] = []
        counted = ""
        arcs = draft.reading.arcs
        for index, arc in enumerate(arcs):
            if arc in draft.consumed or not roles.is_dimension(arc, draft.reading):
                continue
            mark = roles.marked(draft.reading, index)
            options = [m.name for m in arc.names if m.kind == "dimension" and m.name in common]
            if not options:
                if not mark and all(signals.is_stop(word) for word in arc.text.split()):
                    continue
                names = sorted(
                    {
                        draft.label(self._semantic.dimensions[m.name])
                        for m in arc.names
                        if m.kind == "dimension"
                    }
                )
                raise draft.refuse("not_by", draft.label(draft.metrics[0]), " / ".join(names))
            if (
                index + 1 < len(arcs)
                and roles.is_dimension(arcs[index + 1], draft.reading)
                and not draft.reading.gap(index + 1).strip()
            ):
                continue
            fits = [(_fit(self._semantic.dimensions[name], arc, name), name) for name in options]
            found.append((self._best(draft, arc, fits), mark))
            if not mark and _counted(draft.reading, index):
                counted = arc.text
        marked = [name for name, mark in found if mark]
        if counted and not marked:
            raise draft.refuse("count_values", counted)
        for name in marked or [name for name, _ in found]:
            dimension = self._semantic.dimensions[name]
            item = name if dimension.type == "categorical" else f"{name}__day"
            if item not in draft.group_by:
                draft.group_by.append(item)


def _refused(key: str, language: str, metrics: Sequence[Metric]) -> str:
    running = [m.label_zh if language == "zh" else m.label for m in metrics if m.kind == "cumulative"]
    if key != "window":
        return say(key, language)
    return say("window", language, ", ".join(running)) if running else say("no_window", language)


def _counted(reading: Reading, index: int) -> bool:
    """`how many products`, 多少个国家: the values themselves are to be counted."""
    ahead = reading.folded[: reading.units[reading.arcs[index].start].start]
    counting = r"(?:\b(?:how many|number of)(?: different| distinct)? |(?:多少|几)[个种家]?)$"
    return bool(re.search(counting, ahead))


def _weakness(meaning: Meaning) -> tuple[bool, str]:
    return meaning.weak, meaning.name


def _fit(dimension: Dimension, arc: Arc, name: str) -> tuple[bool, bool, bool]:
    own = name.rpartition("__")[2].replace("_", " ")
    said = [unit.key for unit in split_units(arc.text)]
    return (
        [unit.key for unit in split_units(own)] != said,
        arc.text not in (dimension.label.lower(), dimension.label_zh),
        not dimension.label_zh.endswith(arc.text),
    )


def _qualities(metrics: Sequence[Metric]) -> dict[str, tuple[str, ...]]:
    words = {word for metric in metrics for word in (*metric.words_high, *metric.words_low)}
    return {word: signals.quality_forms(word) for word in sorted(words)}


def _spell(question: str, reading: Reading, vocabulary: Vocabulary, language: str) -> tuple[str, list[str]]:
    """The question with its misspelt words put right, and what was read as what."""
    notes: list[str] = []
    for arc in reversed(reading.arcs):
        if arc.content is not None:
            continue
        unit = reading.units[arc.start]
        word = vocabulary.nearest_word(unit)
        if word:
            question = f"{question[: unit.start]}{word}{question[unit.end :]}"
            notes.append(say("spelling", language, unit.text, word))
    return question, notes


def _wanted_dimensions(reading: Reading) -> list[set[str]]:
    """For each dimension or value that the question names, the dimensions that it may mean."""
    return [
        {meaning.name for meaning in arc.names if meaning.kind in ("dimension", "value")}
        for arc in reading.arcs
        if roles.is_dimension(arc, reading) or roles.is_value(arc, reading)
    ]


def _pick(draft: Draft, arc: Arc, options: list[Metric], wanted: list[set[str]]) -> Metric:
    """The one metric that a phrase means: the one that can be split by what the question names."""
    strong = {m.name for m in arc.names if m.kind == "metric" and not m.weak}
    exact = [m for m in options if arc.text in (m.label.lower(), m.label_zh, m.name.replace("_", " "))]
    fitting = [m for m in options if all(names & set(m.dimensions) for names in wanted)]
    own = suggest.of_what_is_named(fitting, wanted) if wanted and not exact else []
    if len(own) == 1 < len(fitting):
        return own[0]
    for candidates in (exact, [m for m in options if m.name in strong], options):
        fitting = [m for m in candidates if all(names & set(m.dimensions) for names in wanted)]
        if len(fitting) == 1:
            return fitting[0]
        if len(fitting) > 1:
            raise draft.refuse("ambiguous", arc.text, ", ".join(draft.label(metric) for metric in fitting))
    if len(options) == 1 or exact:
        return (exact or options)[0]
    raise draft.refuse("ambiguous", arc.text, ", ".join(draft.label(metric) for metric in options))


def _without_context(draft: Draft, arcs: list[Arc]) -> list[Arc]:
    """Drop the nouns that only say whose figure is meant: `order value of customers`, 订单的退货率."""
    kept = list(arcs)
    joined: set[Arc] = set()
    for first, second in pairwise(arcs):
        path = draft.reading.arcs
        between = path[path.index(first) + 1 : path.index(second)]
        gaps = "".join(draft.reading.gap(path.index(arc)) for arc in (*between, second))
        if any(arc.is_signal("and", "versus") for arc in between) or any(
            char in gaps for char in ",，、;；&/+"
        ):
            joined.add(second)
            continue
        if first.names == second.names:
            joined.add(second)
            continue
        per = next((arc.text for arc in between if arc.is_signal("mark")), "")
        if per in ("per", "each", "by") or per.startswith("每"):
            raise draft.refuse("per", first.text, second.text)
        chinese = draft.reading.units[second.start].chinese
        whole = _one_name(draft, first, second)
        if whole is not None:
            dropped = first if whole is second else second
            if dropped in kept:
                kept.remove(dropped)
            continue
        context = first if chinese or not between else second
        if not _is_entity(context, chinese) or context.text.endswith("ing"):
            raise draft.refuse("unlinked", f"{first.text} … {second.text}")
        if context in kept:
            kept.remove(context)
            if any(m.kind == "value" and m.value.lower() == context.text for m in context.names):
                draft.as_values.add(context)
            else:
                draft.note("context", context.text)
                draft.context.append(context)
    # What a dropped word stood between has not been joined by anything.
    for first, second in pairwise(kept):
        if second not in joined:
            raise draft.refuse("unlinked", f"{first.text} … {second.text}")
    return kept


def _one_name(draft: Draft, first: Arc, second: Arc) -> Arc | None:
    """Which of two arcs means a metric whose names hold the words of both: `tool calls` that `failed`."""
    said = {unit.key for arc in (first, second) for unit in draft.reading.units[arc.start : arc.end]}
    for arc in (second, first):
        for meaning in arc.names:
            if meaning.kind == "metric" and said <= leftovers.name_keys(draft.known[meaning.name]):
                return arc
    return None


def _is_entity(arc: Arc, chinese: bool) -> bool:
    return len(arc.text) <= 4 if chinese else " " not in arc.text


def _unread(question: str, language: str) -> str:
    """Why a question is not read at all, or ''."""
    if not any(char.isalnum() for char in question):
        return say("empty", language or "en")
    if len(question) > LONGEST:
        return say("long", language or "en", f"{len(question):,}", f"{LONGEST:,}")
    return "" if script(question) else say("language", "en")
