"""Opens what a check of a project needs: its semantic layer and its warehouse, as the reader."""

from __future__ import annotations

from pathlib import Path

from warehouse.engines import engine_of
from warehouse.errors import SettingsError
from warehouse.semantic import SemanticLayer
from warehouse.semantic.checking import Checked, check
from warehouse.semantic.drafting import drafted
from wiring.settings import Settings
from wiring.warehouse import open_warehouse

__all__ = ["Checked", "checked", "write_draft"]


def checked(settings: Settings, limit: int) -> Checked:
    """See `check`."""
    with open_warehouse(settings, read_only=True) as warehouse:
        return check(_layer(settings), warehouse, limit)


def write_draft(settings: Settings) -> Path:
    """Draft an overlay beside what dbt wrote, where the project has none. Raises `SettingsError` else."""
    if settings.warehouse.overlay:
        raise SettingsError(
            f"There is an overlay already, {settings.warehouse.overlay}. What it lacks stands in the "
            "findings; to have all drafted anew, move it away first."
        )
    file = settings.warehouse.dbt_target_dir / "tidemark.yml"
    file.write_text(drafted(_layer(settings)), "utf-8")
    return file


def _layer(settings: Settings) -> SemanticLayer:
    warehouse = settings.warehouse
    dialect = engine_of(warehouse).DIALECT
    return SemanticLayer.load(warehouse.semantic_manifest_path, dialect, warehouse.overlay)
