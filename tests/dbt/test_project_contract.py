"""What the YAML promises: every model its grain and key, every metric its words in two languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from agents.analyst.units import units
from streaming.ddl import ods_tables
from warehouse.clickhouse.ddl import column_type
from warehouse.ingestion.schema import TABLES

MODELS = Path(__file__).parents[2] / "dbt" / "models"


def read(pattern: str, section: str) -> list[dict[str, Any]]:
    return [
        item
        for path in sorted(MODELS.rglob(pattern))
        for item in yaml.safe_load(path.read_text(encoding="utf-8")).get(section, [])
    ]


DESCRIBED = {model["name"]: model for model in read("*.yml", "models")}
METRICS = read("_metrics.yml", "metrics")
SEMANTIC_MODELS = read("_semantic.yml", "semantic_models")


@pytest.mark.parametrize("path", sorted(MODELS.rglob("*.sql")), ids=lambda path: path.stem)
def test_a_model_states_its_grain_and_is_tested_for_it(path: Path) -> None:
    model = DESCRIBED[path.stem]
    assert path.stem.split("_")[0] == path.relative_to(MODELS).parts[0], "a model is named after its layer"
    assert "Grain:" in model["description"] or "One row per" in model["description"]
    tests = [next(iter(test)) if isinstance(test, dict) else test for test in model.get("data_tests", [])]
    keys = [
        column
        for column in model["columns"]
        if {"unique", "not_null"} <= set(map(str, column.get("data_tests", [])))
    ]
    assert keys or "grain" in tests
    assert all(column["description"] for column in model["columns"])


def test_the_sources_are_what_ingestion_creates() -> None:
    sources = {
        f"{source['schema']}.{table['name']}": {c["name"]: c["data_type"] for c in table["columns"]}
        for source in read("_sources.yml", "sources")
        for table in source["tables"]
        if source["name"] == "commerce"
    }
    assert sources == {
        table.name: {column.name: column_type(column) for column in table.spec.columns} for table in TABLES
    }


@pytest.mark.parametrize(
    ("macro", "names"),
    [
        ("commerce_tables", [table.name for table in TABLES]),
        ("telemetry_tables", [spec.name for spec in ods_tables(30)]),
    ],
)
def test_what_treats_all_tables_alike_leaves_none_out(macro: str, names: list[str]) -> None:
    text = (MODELS.parent / "macros" / "sources.sql").read_text("utf-8")
    listed = text.partition(f"macro {macro}()")[2].partition("endmacro")[0]
    assert sorted(f"ods.{name}" for name in re.findall(r"'(\w+)'", listed)) == sorted(names)


def test_both_domains_have_metrics() -> None:
    domains = [metric["config"]["meta"]["domain"] for metric in METRICS]
    assert domains.count("commerce") >= 12
    assert domains.count("agents") >= 12


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric["name"])
def test_a_metric_has_words_in_both_languages(metric: dict[str, Any]) -> None:
    meta = metric["config"]["meta"]
    assert metric["description"]
    assert meta["label_zh"]
    assert meta["unit"] in units()
    assert meta["synonyms"]["en"]
    assert meta["synonyms"]["zh"]
    assert set(meta.get("words", {})) <= {"high", "low"}


def test_no_two_metrics_of_a_domain_share_a_word() -> None:
    owners: dict[tuple[str, str], str] = {}
    for metric in METRICS:
        meta = metric["config"]["meta"]
        words = {metric["label"].lower(), meta["label_zh"], *meta["synonyms"]["en"], *meta["synonyms"]["zh"]}
        for word in words:
            assert owners.setdefault((meta["domain"], word), metric["name"]) == metric["name"], word


def test_a_dimension_has_words_in_both_languages() -> None:
    for model in SEMANTIC_MODELS:
        for dimension in model["dimensions"]:
            meta = dimension["config"]["meta"]
            assert meta["label_zh"], (model["name"], dimension["name"])
            assert meta["synonyms"]["en"], (model["name"], dimension["name"])
            assert meta["synonyms"]["zh"], (model["name"], dimension["name"])
