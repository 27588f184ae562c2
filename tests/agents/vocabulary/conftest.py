"""Vocabularies of the sample and of two projects that are not like it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
import yaml

from agents.analyst.grammar.words import lattice
from agents.analyst.vocabulary import Vocabulary
from warehouse.clickhouse import DIALECT
from warehouse.semantic import SemanticLayer

FIXTURES = Path(__file__).parent / "fixtures"
SCHOOL_VALUES = {
    "lesson__status": ["held", "cancelled", "no_show"],
    "lesson__is_paid": ["true", "false"],
    "lesson__room_code": ["101", "102", "B-7", "404"],
    "invoice__status": ["paid", "open", "cancelled"],
    "invoice__reason": ["Top up", "Second lesson", "A"],
    "teacher__full_name": ["Dr Ada Okafor", "Mr Tom Page", "Ms Bea Page"],
    "teacher__city": ["Houston", "São Paulo", "Cork"],
    "teacher__instrument": ["Piano", "piano", "Violin", "Double bass"],
    "pupil__city": ["Houston", "Leeds"],
    "pupil__pupil_name": ["The North Face", "Plus", "Active", "Women's choir"],
}
FREIGHT_VALUES = {
    "waybill__state": ["已签收", "运输中", "拒收"],
    "customer__customer_name": ["远川医药", "江顺水运"],
    "depot__depot_name": ["浦东一仓", "SH-021"],
    "to_city__region": ["华东", "华南"],
    "to_city__city_name": ["上海", "臺北"],
}

SHOP_VALUES = {
    "user__country": ["China", "United States", "Brasil", "Germany"],
    "user__city": ["Shanghai", "São Paulo"],
    "user__age_band": ["under 20", "20-29", "60 and over"],
    "user__traffic_source": ["Search", "Email", "Display"],
    "product__brand": ["Levi's", "Calvin Klein", "Nike"],
    "product__category": ["Jeans", "Plus", "Active", "Tops & Tees"],
    "product__department": ["Women", "Men"],
    "tool_call__tool": ["execute_sql", "compile_intent"],
    "stage_run__stage": ["sql", "chart", "document"],
    "run__status": ["ok", "error", "unfinished"],
}


def layer(name: str, folder: Path) -> SemanticLayer:
    path = folder / "semantic_manifest.json"
    manifest = yaml.safe_load((FIXTURES / f"{name}.yaml").read_text(encoding="utf-8"))
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return SemanticLayer.load(path, DIALECT)


def project(name: str, folder: Path, values: Mapping[str, Sequence[str]]) -> Vocabulary:
    return Vocabulary(layer(name, folder), values)


@pytest.fixture(scope="session")
def school(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    return project("school", tmp_path_factory.mktemp("school"), SCHOOL_VALUES)


@pytest.fixture(scope="session")
def freight(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    return project("freight", tmp_path_factory.mktemp("freight"), FREIGHT_VALUES)


@pytest.fixture(scope="session")
def sample(semantic: SemanticLayer) -> Vocabulary:
    return Vocabulary(semantic, {})


@pytest.fixture(scope="session")
def shop(semantic: SemanticLayer) -> Vocabulary:
    return Vocabulary(semantic, SHOP_VALUES)


Meanings = Callable[[Vocabulary, str], set[tuple[str, object]]]


@pytest.fixture(scope="session")
def meanings() -> Meanings:
    """What a text may be as one phrase of a project: category and meaning of each."""

    def read(vocabulary: Vocabulary, text: str) -> set[tuple[str, object]]:
        words, phrases = lattice(text, vocabulary)
        return {(one.category, one.value) for one in phrases if (one.start, one.end) == (0, len(words))}

    return read


@pytest.fixture(scope="session")
def values() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """What each project's dimensions hold."""
    return {"shop": SHOP_VALUES, "school": SCHOOL_VALUES, "freight": FREIGHT_VALUES}
