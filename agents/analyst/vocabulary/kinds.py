"""What a metric's figures are: money, a count, a ratio, a length of time, another number."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Literal

import yaml
from babel import Locale

from agents.analyst.grammar.text import keys
from agents.analyst.vocabulary.names import FOLDER, chinese, endings, spoken
from warehouse.semantic import Metric

Kind = Literal["money", "count", "ratio", "duration", "number", "unknown"]
_QUALIFIES = re.compile(r"\b(?:to|per|of|since|for|in|by|with|until|from|over)\b|,(?! %)", re.IGNORECASE)
_QUANTILE = re.compile(r"\d+%|中位数", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"\((\w+)\)$")
_COUNTING = ("count", "count_distinct", "sum_boolean")


def kind(metric: Metric, metrics: Mapping[str, Metric]) -> Kind:
    """By its unit, else by how it is computed, else by what it is called; unknown is none of them."""
    if metric.unit:
        return _of_unit(metric.unit)
    if metric.aggregation in _COUNTING:
        return "count"
    if metric.kind == "conversion":
        return "ratio"
    inputs = [kind(metrics[name], metrics) for name in metric.inputs if name in metrics]
    adds_up = metric.kind == "derived" and metric.additivity.kind != "none"
    if inputs and len(set(inputs)) == 1 and (adds_up or metric.kind == "cumulative"):
        return inputs[0]
    named = _of_name(metric)
    if metric.kind == "ratio" and len(inputs) == 2 and "unknown" not in inputs and named != "ratio":
        numerator, denominator = inputs
        # Cost per run is money, claims denied per claim decided a ratio.
        return "ratio" if numerator == denominator else numerator
    return named


def worse(metric: Metric, kind: Kind) -> Literal["high", "low", ""]:
    """At which end a metric's figures are bad: many failures, little revenue; empty where nobody can say."""
    for end, words in (("high", metric.words_high), ("low", metric.words_low)):
        if {"worst", "bad", "差"} & set(words):
            return end  # type: ignore[return-value]
    for text in (spoken(metric.name), metric.label, metric.label_zh):
        path = keys(text)
        for bad in map(keys, endings()["bad"]):
            if any(path[at : at + len(bad)] == bad for at in range(len(path) - len(bad) + 1)):
                return "high"
        if any(path[at : at + 1] == good for good in map(keys, endings()["good"]) for at in range(len(path))):
            return "low"
    return {"money": "low", "count": "low", "ratio": "low", "duration": "high"}.get(kind, "")  # type: ignore[return-value]


def unit(metric: Metric) -> str:
    """Its unit, or what its label says in brackets at the end: Average wait (minutes)."""
    said = _IN_BRACKETS.search(metric.label)
    return metric.unit or (said[1].lower() if said else "")


def typical(metrics: Mapping[str, Metric], of: str) -> list[Metric]:
    """Of a kind those that tell how it mostly is: no extremes and, beside an average of the same rows, no sum
    of them. How long does it take? is asked of these.
    """
    found = plain([one for one in metrics.values() if kind(one, metrics) == of])
    averaged = {one.tables for one in found if one.additivity.kind == "none"}
    return [one for one in found if one.additivity.kind == "none" or one.tables not in averaged]


def plain(found: Sequence[Metric]) -> Sequence[Metric]:
    """Without the extremes, unless there is nothing else."""
    return [one for one in found if not _extreme(one)] or found


def measured(metric: Metric, unit: Sequence[str]) -> bool:
    """Whether a metric is in a unit, given as all that it is called: by its own unit, or the words of its
    label or description that say so, `货量（吨）`, `weight in kg`.
    """
    if metric.unit:
        return metric.unit.lower() in unit
    texts = (spoken(metric.name), metric.label, metric.label_zh, metric.description)
    return bool(_saying_unit(tuple(unit)).search("\n".join(texts).lower()))


@cache
def _saying_unit(unit: tuple[str, ...]) -> re.Pattern[str]:
    """What says of a line of text that it is in a unit, whichever way that is called."""
    ways = []
    for said in map(re.escape, unit):
        if chinese(said):
            ways.append(rf"(?:[（(/]|单位[：:]?\s*){said}(?![^）)/，。、；\s])")
        else:
            ways.append(rf"(?:[(（]|\bin |\bof |单位)\s*{said}\b|^{said}$|\s{said}$")
    return re.compile("|".join(ways), re.MULTILINE)


def _extreme(metric: Metric) -> bool:
    names = " ".join((metric.name, metric.label, metric.label_zh)).lower()
    if metric.aggregation == "percentile":
        return "median" not in names and "中位" not in names
    return metric.aggregation in ("max", "min")


def _of_unit(unit: str) -> Kind:
    for kind, known in _data()["units"].items():
        if unit.lower() in known:
            return kind
    return "money" if unit.upper() in Locale("en").currencies else "number"


def _of_name(metric: Metric) -> Kind:
    texts = (metric.label_zh, metric.label, spoken(metric.name))
    return next((found for text in texts if (found := _named(text)) != "unknown"), "unknown")


@lru_cache(maxsize=4096)
def _named(text: str) -> Kind:
    # Days to payment are days, a fee per visit is a fee; 90% of fees is a fee too.
    head, _, rest = _QUALIFIES.sub("|", _QUANTILE.sub("", text)).partition("|")
    for part in (head, rest):
        if "%" in part:
            return "ratio"
        path = keys(part)
        for end in range(len(path), 0, -1):
            for kind, words in _words().items():
                if any(path[end - len(word) : end] == word for word in words if len(word) <= end):
                    return kind
            if chinese(part):
                # What a thing is stands last: 退货率 is a rate, 费率 no fee.
                break
    return "unknown"


@cache
def _words() -> dict[Kind, list[tuple[str, ...]]]:
    return {kind: [keys(word) for word in words] for kind, words in _data()["names"].items()}


@cache
def _data() -> Any:
    return yaml.safe_load((FOLDER / "kinds.yml").read_text("utf-8"))
