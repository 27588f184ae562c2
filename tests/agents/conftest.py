"""The real semantic layer, parsed by dbt from the project, and a linker over it with a few known values."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agents.analyst.linker import Linker
from warehouse.semantic import SemanticLayer

ROOT = Path(__file__).parents[2]
VALUES = {
    "user__country": [
        "China",
        "United States",
        "Brasil",
        "Germany",
        "Japan",
        "France",
        "United Kingdom",
        "Spain",
    ],
    "user__city": ["Shanghai", "Beijing", "São Paulo"],
    "user__traffic_source": ["Search", "Organic", "Facebook", "Email", "Display"],
    "user__age_band": ["under 20", "20-29", "30-39", "60 and over"],
    "product__brand": ["Levi's", "Calvin Klein", "Nike", "Allegra K"],
    "product__category": ["Jeans", "Accessories", "Plus", "Active", "Tops & Tees", "Swim"],
    "product__department": ["Women", "Men"],
    "tool_call__tool": ["execute_sql", "compile_metrics"],
    "stage_run__stage": ["sql", "chart", "document"],
}


@pytest.fixture(scope="session")
def dbt_target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with dbt's manifests; parsing needs no warehouse."""
    target = tmp_path_factory.mktemp("dbt_target")
    command = [str(Path(sys.executable).with_name("dbt")), "parse", "--quiet", "--profiles-dir", str(ROOT / "dbt"),
               "--project-dir", str(ROOT / "dbt"), "--target-path", str(target), "--log-path", str(target)]  # fmt: skip
    quiet = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    subprocess.run(command, check=True, env=quiet, timeout=180)
    return target


@pytest.fixture(scope="session")
def semantic(dbt_target: Path) -> SemanticLayer:
    return SemanticLayer.load(dbt_target / "semantic_manifest.json")


@pytest.fixture(scope="session")
def linker(semantic: SemanticLayer) -> Linker:
    return Linker(semantic, lambda dimension: VALUES.get(dimension, []))
