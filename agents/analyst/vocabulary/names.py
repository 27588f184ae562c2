"""What a project's metrics, dimensions and entities are called: labels, names, synonyms, forms of these."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import rjieba
import yaml

from agents.analyst.grammar.text import CJK, fold, keys, units
from agents.analyst.grammar.words import shipped
from warehouse.semantic import Dimension, Entity, Metric

FOLDER = Path(__file__).with_name("data")

LABEL, NAME, SYNONYM, QUALIFIED = "label", "name", "synonym", "qualified"
FORM, DERIVED, BARE, HEAD, ALIKE = "form", "derived", "bare", "head", "alike"
STRONG = (LABEL, NAME, SYNONYM)

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# What a label says beside the name: "Average wait (minutes)", "No-show rate, %".
_ASIDE = re.compile(r"\s*(?:\([^()]*\)|（[^（）]*）|,\s*%|%)\s*$")


_OF = re.compile(r"\s+of\s+|[,(]", re.IGNORECASE)
_RESTRICTS = re.compile(r"\b(?:with|without|in|on|from|for|since|until|to|per)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Name:
    """A phrase for a thing, and where it comes from: a derived one counts only where no other thing is
    called so.
    """

    text: str
    source: str

    @property
    def path(self) -> tuple[str, ...]:
        return keys(self.text)


@cache
def endings() -> Mapping[str, Any]:
    """Ends of names that say nothing, or the same; see the file."""
    return yaml.safe_load((FOLDER / "endings.yml").read_text("utf-8"))


def metric_names(metric: Metric) -> list[Name]:
    own = _own(metric.label, metric.label_zh, metric.name, metric.synonyms_en, metric.synonyms_zh)
    forms = (form for name in own for form in _metric_forms(name.text))
    heads = (head for name in own if name.source != SYNONYM for head in _heads(name.text))
    return _unique((*own, *forms, *heads))


def dimension_names(dimension: Dimension, entity: Entity | None) -> list[Name]:
    """`entity`: the one whose things the dimension's values are the names of, if it is one's."""
    element = dimension.name.rpartition("__")[2]
    own = _own(dimension.label, dimension.label_zh, element, dimension.synonyms_en, dimension.synonyms_zh)
    heads = [head for name in own if name.source != SYNONYM for head in _heads(name.text)]
    if entity is None:
        codes = endings()["key_en"] + endings()["key_zh"]
        keyed = [Name(text, BARE) for name in own if (text := _without(name.text, codes))]
        return _unique((*own, *keyed, *heads))
    bare = [Name(text, FORM) for name in own if (text := _bare_name(name.text))]
    things = [*(Name(name.text, FORM) for name in entity_names(entity)), *bare]
    named = [Name(word, FORM) for word in endings()["naming"] if word != "label"]
    alike = (
        Name(name.text, FORM)
        for thing in things
        for word in named
        if chinese(thing.text) == chinese(word.text)
        for name in qualified_names([word], [thing])
    )
    return _unique((*own, *things, *alike, *heads))


def entity_names(entity: Entity) -> list[Name]:
    own = _own(entity.label, entity.label_zh, entity.name, entity.synonyms_en, entity.synonyms_zh)
    return _unique((*own, *(Name(label, LABEL) for label in entity.model_labels)))


def key_names(entity: Name) -> Iterator[Name]:
    """What tells an entity's key from the names of its things."""
    for word in endings()["key_zh" if chinese(entity.text) else "key_en"]:
        yield Name(f"{entity.text}{'' if chinese(entity.text) else ' '}{word}", DERIVED)


def qualified_names(names: Iterable[Name], of: Iterable[Name]) -> Iterator[Name]:
    """`customer's country`, `country of the customer`, `Country (customer)`, 客户的国家."""
    owners = list(of)
    for name in names:
        for owner in owners:
            if chinese(name.text) or chinese(owner.text):
                yield Name(f"{owner.text} {name.text}", QUALIFIED)
                yield Name(f"{name.text} {owner.text}", QUALIFIED)
                continue
            for text in (
                f"{owner.text} {name.text}",
                f"{name.text} {owner.text}",
                f"{name.text} of {owner.text}",
                f"{name.text} of the {owner.text}",
            ):
                yield Name(text, QUALIFIED)


def spoken(name: str) -> str:
    """`noShow_rate` as it is said."""
    return _CAMEL.sub(" ", name).replace("_", " ")


def chinese(text: str) -> bool:
    return bool(re.search(f"[{CJK}]", text))


def is_naming(dimension: Dimension, entity: Entity) -> bool:
    """Whether the dimension's values are what the entity's things are called by people."""
    element = dimension.name.rpartition("__")[2]
    if dimension.type == "time" or dimension.table not in entity.keyed:
        return False
    called = {name.path for name in entity_names(entity)}
    path = keys(spoken(element))
    if keys(dimension.label) in called or path in called:
        return True
    if path[-1:] not in {keys(word)[-1:] for word in endings()["naming"]}:
        return False
    # `wh_name` is a warehouse's, `procedure_name` no claim's.
    of = path[:-1]
    words = {key for one in called for key in one}
    short = len(of) == 1 and len(of[0]) <= 3 and entity.name.startswith(of[0][0])
    return not of or of == ("full",) or bool(words & set(of)) or short


def _own(label: str, label_zh: str, name: str, *synonyms: Sequence[str]) -> list[Name]:
    labels = [text for text in (label, label_zh) if text]
    plain = [bare for text in labels if (bare := _ASIDE.sub("", text)) and bare != text]
    return [
        *(Name(text, LABEL) for text in (*labels, *plain)),
        Name(spoken(name), NAME),
        *(Name(text, SYNONYM) for texts in synonyms for text in texts),
    ]


def _metric_forms(text: str) -> Iterator[Name]:
    """Other ways to say the same name: 运单数 for 运单量, cancelled orders for orders cancelled."""
    if chinese(text):
        for ending in endings()["dropped_zh"]:
            if text.endswith(ending) and len(text) - len(ending) >= 2:
                yield Name(text.removesuffix(ending), DERIVED)
        for alike in endings()["alike_zh"]:
            for ending in sorted(alike, key=len, reverse=True):
                if text.endswith(ending) and len(text) - len(ending) >= 2:
                    yield from (Name(text.removesuffix(ending) + other, FORM) for other in alike)
                    if ending in endings()["counting_zh"]:
                        yield Name(text.removesuffix(ending), FORM)
                    break
        return
    words = text.split()
    if len(words) == 2 and any(word.lower().endswith("ed") for word in words):
        yield Name(" ".join(reversed(words)), FORM)
    lower = text.lower()
    for start in endings()["starts_en"]:
        if lower.startswith(f"{start} "):
            yield Name(text[len(start) + 1 :], FORM)
    for end in endings()["ends_en"]:
        if lower.endswith(f" {end}"):
            yield Name(text[: -len(end) - 1], FORM)
    if " per " in lower and not lower.startswith("average "):
        yield Name(f"average {text}", FORM)


def _heads(text: str) -> Iterator[Name]:
    """What a name says last of what the thing is: `run cost` and `cost`, 失败率; never without a word that
    leaves others out, as denied claims are not claims.
    """
    if chinese(text):
        words, joint = rjieba.cut(text), ""
    else:
        named = _OF.split(text)[0]
        words, joint = named.split(), " "
        if not words or _RESTRICTS.search(named) or _leaves_out(words[-1]):
            return
    for at in range(len(words)):
        head, dropped = joint.join(words[at:]), words[:at]
        if head != text and len(head) >= 2 and not any(map(_leaves_out, dropped)) and not _is_language(head):
            yield Name(head, HEAD)


def _leaves_out(word: str) -> bool:
    lower = word.lower()
    if chinese(word):
        return any(part in word for part in endings()["leaving_out_zh"])
    return lower.endswith(("ed", "ing")) or lower in endings()["leaving_out_en"]


def _is_language(text: str) -> bool:
    """Whether it is a word of the language itself, such as `days`."""
    found = units(fold(text))
    return any(phrase.end == len(found) for phrase in shipped().match(found, 0))


def _bare_name(text: str) -> str:
    """`Product name` → `Product`, 客户名称 → 客户."""
    return _without(text, endings()["naming"])


def _without(text: str, ends: Iterable[str]) -> str:
    for ending in sorted(ends, key=len, reverse=True):
        if text.lower().endswith(ending.lower()) and text.lower() != ending.lower():
            return text[: -len(ending)].rstrip(" _")
    return ""


def _unique(names: Iterable[Name]) -> list[Name]:
    """One name a phrase, of the source that stands first."""
    found: dict[tuple[str, ...], Name] = {}
    for name in names:
        if name.path:
            found.setdefault(name.path, name)
    return list(found.values())
