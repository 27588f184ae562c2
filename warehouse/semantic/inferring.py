"""What a project's manifests tell of its metrics unasked: units, domains, the script of their labels.

What cannot be told stays unknown: a wrong unit is a wrong figure, a missing one is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from warehouse.catalogue import domain_of

_COUNTS = ("count", "count_distinct", "sum_boolean")
_SAME_AS_PART = ("sum", "min", "max", "average", "median", "percentile")
_SHARE = re.compile(r"(_pct|_percent|_percentage|_share)$")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_SUM = re.compile(r"[\w\s+\-()]*")


def infer(semantic_manifest: dict[str, Any], manifest: Mapping[str, Any]) -> None:
    """Say it in the semantic manifest's `config.meta`, wherever the project does not say it itself."""
    units = _Units(semantic_manifest)
    domains = _domains(manifest)
    for metric in semantic_manifest["metrics"]:
        meta = _meta(metric)
        found = {"unit": units.of(metric["name"]), "domain": domains.get(metric["name"], "")}
        meta.update({name: value for name, value in found.items() if value and not meta.get(name)})
        _note_script(metric)
    for model in semantic_manifest["semantic_models"]:
        for element in (*model.get("dimensions", ()), *model.get("entities", ())):
            _note_script(element)


class _Units:
    """Units by metric: stated ones, and what follows from them and from how a metric is computed."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self._metrics = {metric["name"]: metric for metric in manifest["metrics"]}
        self._measures = {
            measure["name"]: measure
            for model in manifest["semantic_models"]
            for measure in model.get("measures", ())
        }

    def of(self, name: str) -> str:
        metric = self._metrics.get(name)
        if metric is None:
            return ""
        meta = _meta(metric)
        if stated := meta.get("unit") or meta.get("currency"):
            return str(stated)
        params = metric["type_params"]
        if metric["type"] == "simple":
            return self._simple(params)
        if metric["type"] == "ratio":
            return self._ratio(name, metric.get("label") or "", params)
        if metric["type"] == "cumulative":
            measured = (params.get("cumulative_type_params") or {}).get("metric")
            return self.of(_name(measured)) or self._simple(params)
        if metric["type"] == "derived":
            return self._derived(params)
        if metric["type"] == "conversion":
            how = (params.get("conversion_type_params") or {}).get("calculation", "conversion_rate")
            return "ratio" if how == "conversion_rate" else "count"
        return ""

    def _simple(self, params: Mapping[str, Any]) -> str:
        measure = self._measures.get(_name(params.get("measure")), {})
        aggregation = (params.get("metric_aggregation_params") or measure).get("agg", "")
        if aggregation in _COUNTS:
            return "count"
        meta = _meta(measure) if measure else {}
        stated = str(meta.get("unit") or meta.get("currency") or "")
        return stated if aggregation in _SAME_AS_PART else ""

    def _ratio(self, name: str, label: str, params: Mapping[str, Any]) -> str:
        above, below = (_name(params[part]) for part in ("numerator", "denominator"))
        units = self.of(above), self.of(below)
        counted = units == ("count", "count")
        unlike = all(units) and units[0] != units[1]
        # 2.1 items an order are not 210 %: a share is part of the same thing, or calls itself one.
        of_the_same = counted and self._measure(above) and self._measure(above) == self._measure(below)
        called_so = "%" in label or _SHARE.search(name) or (counted and name.endswith("_rate"))
        if of_the_same or (called_so and not unlike):
            return "ratio"
        # Money a piece is money.
        return units[0] if units[1] == "count" and units[0] not in ("count", "ratio") else ""

    def _measure(self, name: str) -> str:
        params = self._metrics.get(name, {}).get("type_params", {})
        return _name(params.get("measure"))

    def _derived(self, params: Mapping[str, Any]) -> str:
        """Only sums and differences of one unit keep it."""
        found = {self.of(_name(one)) for one in params.get("metrics") or ()}
        plain = _SUM.fullmatch(params.get("expr") or "")
        return found.pop() if plain and len(found) == 1 else ""


def _name(reference: Any) -> str:
    """What a metric refers to: dbt writes an object, a person may write the name alone."""
    return str((reference.get("name") if isinstance(reference, Mapping) else reference) or "")


def _domains(manifest: Mapping[str, Any]) -> dict[str, str]:
    return {metric["name"]: domain_of(metric) for metric in manifest.get("metrics", {}).values()}


def _note_script(element: dict[str, Any]) -> None:
    """A label in Chinese characters is the Chinese one as well."""
    label = element.get("label") or ""
    meta = _meta(element)
    if _HAN.search(label) and not meta.get("label_zh"):
        meta["label_zh"] = label


def _meta(element: dict[str, Any]) -> dict[str, Any]:
    config = element["config"] = element.get("config") or {}
    meta: dict[str, Any] = config.setdefault("meta", {})
    return meta
