"""`tidemark.yml`: words and units for a dbt project that one may not edit, laid over its manifest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from warehouse.errors import SettingsError

Words = dict[str, list[str]]


class _Named(BaseModel):
    """What something is called: a label and synonyms by language (en, zh)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: dict[str, str] = Field(default_factory=dict)
    synonyms: Words = Field(default_factory=dict)

    def lay_over(self, element: dict[str, Any]) -> None:
        """What is said here goes before what the element says of itself."""
        meta = _meta(element)
        if english := self.label.get("en"):
            element["label"] = english
        if chinese := self.label.get("zh"):
            meta["label_zh"] = chinese
        if self.synonyms:
            meta["synonyms"] = {**meta.get("synonyms", {}), **self.synonyms}


class MetricWords(_Named):
    """Of a metric also its unit (see the list of units), its domain, and which words mean much or little."""

    unit: str = ""
    domain: str = ""
    words: Words = Field(default_factory=dict)

    def lay_over(self, element: dict[str, Any]) -> None:
        super().lay_over(element)
        said = {"unit": self.unit, "domain": self.domain, "words": self.words}
        _meta(element).update({name: value for name, value in said.items() if value})


class DimensionWords(_Named):
    """Of a dimension also what its values are called."""

    value_synonyms: Words = Field(default_factory=dict)

    def lay_over(self, element: dict[str, Any]) -> None:
        super().lay_over(element)
        if self.value_synonyms:
            _meta(element)["value_synonyms"] = self.value_synonyms


class Overlay(BaseModel):
    """Words by metric, dimension (`semantic model.dimension`) and entity, and the project's questions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metrics: dict[str, MetricWords] = Field(default_factory=dict)
    dimensions: dict[str, DimensionWords] = Field(default_factory=dict)
    entities: dict[str, _Named] = Field(default_factory=dict)
    questions: list[str] = Field(default_factory=list)

    @classmethod
    def read(cls, file: Path | None) -> Overlay:
        """Of no file, the empty one. Raises `SettingsError` for what is no overlay."""
        if file is None:
            return cls()
        try:
            return cls.model_validate(yaml.safe_load(file.read_text("utf-8")) or {})
        except OSError as error:
            raise SettingsError(f"The overlay {file} cannot be read: {error.strerror}.") from error
        except yaml.YAMLError as error:
            raise SettingsError(f"The overlay {file} is not YAML: {' '.join(str(error).split())}") from error
        except ValidationError as error:
            wrong = error.errors()[0]
            place = ".".join(map(str, wrong["loc"]))
            raise SettingsError(f"The overlay {file} says of {place}: {wrong['msg']}. Correct it.") from error

    def lay_over(self, manifest: dict[str, Any]) -> list[str]:
        """Say it in the semantic manifest, as dbt writes it; returns what the manifest does not have."""
        named: Mapping[str, Mapping[str, _Named]] = {
            "metric": self.metrics,
            "dimension": self.dimensions,
            "entity": self.entities,
        }
        met = set()
        for kind, name, element in _elements(manifest):
            if words := named[kind].get(name):
                words.lay_over(element)
                met.add((kind, name))
        said = [(kind, name) for kind, words in named.items() for name in words]
        return [f"{kind} {name}" for kind, name in said if (kind, name) not in met]


def _elements(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for metric in manifest["metrics"]:
        yield "metric", metric["name"], metric
    for model in manifest["semantic_models"]:
        for dimension in model.get("dimensions", ()):
            yield "dimension", f"{model['name']}.{dimension['name']}", dimension
        for entity in model.get("entities", ()):
            yield "entity", entity["name"], entity


def _meta(element: dict[str, Any]) -> dict[str, Any]:
    config = element["config"] = element.get("config") or {}
    meta: dict[str, Any] = config.setdefault("meta", {})
    return meta
