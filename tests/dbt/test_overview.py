"""The first page of dbt's documentation: ours, in two languages, and each of its links leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

MODELS = Path(__file__).resolve().parents[2] / "dbt" / "models"


def test_the_overview_is_ours_and_its_links_lead_to_models_and_metrics_that_exist() -> None:
    page = (MODELS / "overview.md").read_text("utf-8")
    assert "{% docs __overview__ %}" in page
    assert "中文" in page
    known = {f"#!/model/model.tidemark.{file.stem}" for file in MODELS.rglob("*.sql")}
    for file in MODELS.rglob("_metrics.yml"):
        metrics = yaml.safe_load(file.read_text("utf-8"))["metrics"]
        known |= {f"#!/metric/metric.tidemark.{metric['name']}" for metric in metrics}
    links = re.findall(r"\]\((.+?)\)", page)
    assert len(links) > 5
    assert set(links) <= known


def test_the_overview_names_every_layer() -> None:
    page = (MODELS / "overview.md").read_text("utf-8")
    layers = {folder.name for folder in MODELS.iterdir() if folder.is_dir()}
    assert {name for name in layers if f"| `{name}` |" in page} == layers
