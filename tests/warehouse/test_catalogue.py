"""The catalogue, read from a manifest as dbt writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from warehouse.catalogue import Catalogue, domain_of
from warehouse.client import Warehouse
from warehouse.errors import CatalogueError


def node(
    kind: str, schema: str, name: str, description: str, tags: list[str], **columns: str
) -> dict[str, object]:
    return {
        "resource_type": kind,
        "schema": schema,
        "alias": name,
        "identifier": name,
        "description": description,
        "tags": tags,
        "config": {},
        "columns": {
            each: {"name": each, "description": text, "data_type": None} for each, text in columns.items()
        },
    }


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    models = [
        node("model", "dwd", "dwd_users", "One row per user. Newest.", ["commerce"], user_id="The key.",
             country="Where the user lives (国家)."),
        node("model", "dwd", "dwd_spans", "One row per span.", ["agents"], tool="Tool that was called."),
        node("model", "ads", "ads_sales", "Sales by day and 品类.", ["commerce"], revenue="What was paid."),
        node("test", "dwd", "not_null", "", []),
    ]  # fmt: skip
    sources = [node("source", "ods", "agent_events", "Events of runs.", [], happening="What happened.")]
    path = tmp_path / "manifest.json"
    content = {
        "nodes": {str(position): one for position, one in enumerate(models)},
        "sources": {str(position): one for position, one in enumerate(sources)},
        "semantic_models": {
            schema: {"node_relation": {"schema_name": schema, "alias": "any"}} for schema in ("dwd", "ads")
        },
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_reads_models_and_sources_with_grain_and_domain(manifest: Path) -> None:
    catalogue = Catalogue.load(manifest)
    assert set(catalogue.tables) == {"dwd.dwd_users", "dwd.dwd_spans", "ads.ads_sales", "ods.agent_events"}
    users = catalogue.tables["dwd.dwd_users"]
    assert (users.domain, users.grain) == ("commerce", "One row per user")
    assert catalogue.tables["ods.agent_events"].domain == ""


@pytest.mark.parametrize(
    ("said", "domain"),
    [
        ({"config": {"meta": {"domain": "sales"}}, "group": "finance", "tags": ["nightly"]}, "sales"),
        ({"group": "finance", "tags": ["nightly"], "fqn": ["shop", "marts", "one"]}, "finance"),
        ({"config": {"group": "finance"}, "tags": ["nightly"]}, "finance"),
        ({"tags": ["nightly", "slow"], "fqn": ["shop", "marts", "one"]}, "nightly"),
        ({"fqn": ["shop", "marts", "billing", "one"]}, "billing"),
        ({"fqn": ["shop", "one"]}, ""),
        ({}, ""),
    ],
)
def test_a_domain_is_what_the_project_says(said: dict[str, Any], domain: str) -> None:
    assert domain_of(said) == domain


def test_readable_are_the_schemas_of_the_semantic_models_and_what_says_so_itself(manifest: Path) -> None:
    content = json.loads(manifest.read_text(encoding="utf-8"))
    content["semantic_models"] = {"sales": {"node_relation": {"schema_name": "ads", "alias": "ads_sales"}}}
    nodes = content["nodes"]
    nodes["1"]["time_spine"] = {"standard_granularity_column": "day"}
    nodes["4"] = {**nodes["0"], "schema": "mart", "config": {"meta": {"readable": True}}}
    nodes["5"] = {**nodes["0"], "schema": "ads", "config": {"meta": {"readable": False}}}
    nodes["6"] = {**nodes["0"], "schema": "ads", "alias": "inlined", "config": {"materialized": "ephemeral"}}
    nodes["7"] = {**nodes["2"], "resource_type": "snapshot", "alias": "kept"}
    manifest.write_text(json.dumps(content), encoding="utf-8")
    catalogue = Catalogue.load(manifest)
    readable = {name for name, table in catalogue.tables.items() if table.readable}
    assert readable == {"ads.ads_sales", "ads.kept", "dwd.dwd_spans", "mart.dwd_users"}
    assert set(catalogue.tables) - readable == {"ads.dwd_users", "dwd.dwd_users", "ods.agent_events"}
    assert {table.database for table in catalogue.search("users per country")} == {"mart"}


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("Which tools were called most?", "dwd.dwd_spans"),
        ("revenue per month", "ads.ads_sales"),
        ("每个国家的用户", "dwd.dwd_users"),
        ("品类", "ads.ads_sales"),
    ],
)
def test_search_finds_the_table_that_a_question_is_about(manifest: Path, question: str, first: str) -> None:
    assert Catalogue.load(manifest).search(question)[0].qualified_name == first


def test_search_finds_nothing_for_unknown_words(manifest: Path) -> None:
    assert Catalogue.load(manifest).search("churn prediction") == []


def test_search_knows_the_words_it_is_given(manifest: Path) -> None:
    catalogue = Catalogue.load(manifest, words={"ads.ads_sales": ["营收", "turnover"]})
    assert [table.name for table in catalogue.search("本月营收")] == ["ads_sales"]


def test_missing_manifest_says_how_to_write_it(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="dbt parse"):
        Catalogue.load(tmp_path / "manifest.json")


@pytest.mark.integration
def test_live_types_are_added(manifest: Path, shop: Warehouse) -> None:
    catalogue = Catalogue.load(manifest, shop)
    country = next(one for one in catalogue.tables["dwd.dwd_users"].columns if one.name == "country")
    assert country.type == "Nullable(String)"
    prompt = catalogue.as_prompt([catalogue.tables["dwd.dwd_users"]])
    assert "dwd.dwd_users: One row per user. Newest." in prompt
    assert "  country Nullable(String) -- Where the user lives (国家)." in prompt
    assert "  traffic_source String" in prompt
