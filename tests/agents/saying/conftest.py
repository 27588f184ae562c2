"""The words of the sample and of a project that is not like it, with a few values of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.analyst.vocabulary import Vocabulary
from any_intent import Project
from warehouse import WarehouseSettings
from warehouse.clickhouse import DIALECT
from warehouse.dbt_runner import run_dbt
from warehouse.semantic import SemanticLayer

FIXTURES = Path(__file__).parents[2] / "warehouse" / "fixtures"
SAMPLE = {
    "user__country": ["China", "United States", "Brasil", "Germany"],
    "user__city": ["Shanghai", "São Paulo"],
    "user__age_band": ["under 20", "20-29", "60 and over"],
    "user__gender": ["Female", "Male"],
    "user__traffic_source": ["Search", "Email"],
    "product__brand": ["Levi's", "Calvin Klein", "Nike", "Allegra K"],
    "product__category": ["Jeans", "Plus", "Active", "Tops & Tees"],
    "product__department": ["Women", "Men"],
    "tool_call__tool": ["execute_sql"],
}


@pytest.fixture(scope="session")
def sample(semantic: SemanticLayer) -> Project:
    return Project(Vocabulary(semantic, SAMPLE), SAMPLE)


@pytest.fixture(scope="session")
def bikes(tmp_path_factory: pytest.TempPathFactory) -> Project:
    settings = WarehouseSettings(
        dbt_project_dir=FIXTURES / "bikes",
        dbt_target_dir=tmp_path_factory.mktemp("bikes"),
        dbt_profiles_dir=FIXTURES / "profiles",
    )
    run_dbt(settings, ["parse"])
    semantic = SemanticLayer.load(settings.semantic_manifest_path, DIALECT)
    dimensions = semantic.dimensions.items()
    values = {name: ["Alpha", "B 2", "true love"] for name, one in dimensions if one.type != "time"}
    return Project(Vocabulary(semantic, values), values)


@pytest.fixture
def project(request: pytest.FixtureRequest) -> Project:
    found: Project = request.getfixturevalue(request.param)
    return found
