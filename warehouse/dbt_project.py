"""A dbt project of anybody's: parsed into a folder of ours, and where the tables are that questions need."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from warehouse.client import Warehouse
from warehouse.dbt_runner import DbtError, dbt_credentials, run_dbt
from warehouse.engines import url_of_profile
from warehouse.errors import AccessDeniedError, CatalogueError, QueryError
from warehouse.settings import WarehouseSettings

# What dbt and git write into a project is not what a person changes in it.
_NOT_SOURCE = {"target", "logs", "dbt_packages", "dbt_modules"}


@dataclass(frozen=True)
class Access:
    """The tables that questions read, qualified: what the reader can, what it may not, what is not there."""

    readable: tuple[str, ...]
    refused: tuple[str, ...]
    missing: tuple[str, ...]


def project_name(folder: Path) -> str:
    """The name in dbt_project.yml. Raises `DbtError` where there is none."""
    file = folder / "dbt_project.yml"
    try:
        name = (yaml.safe_load(file.read_text("utf-8")) or {})["name"]
    except FileNotFoundError:
        raise DbtError(
            f"{folder} is no dbt project: it has no dbt_project.yml. Name the folder that has it."
        ) from None
    except (OSError, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise DbtError(f"{file} cannot be read, or names no project: {error!r}. Correct it.") from error
    return str(name)


def changed_since(settings: WarehouseSettings, moment: float) -> bool:
    """Whether the project or its profile was changed after a moment (seconds since the epoch)."""
    profiles = (settings.dbt_profiles_dir or settings.dbt_project_dir) / "profiles.yml"
    if profiles.is_file() and profiles.stat().st_mtime > moment:
        return True
    return any(changed > moment for changed in _changes(settings.dbt_project_dir))


def parse_project(settings: WarehouseSettings, elsewhere: str = "") -> str:
    """Run `dbt parse`, which writes nothing into the project; the URL of the warehouse of its profile.

    `elsewhere` is the URL where the profile's is not wanted. Raises `DbtError` for what dbt refuses, and for
    a project without metrics.
    """
    run_dbt(settings, ["parse"])
    if not _read(settings.semantic_manifest_path).get("metrics"):
        raise DbtError(
            f"{settings.dbt_project_dir} has no metrics: questions are answered with dbt's semantic models "
            "and metrics. Define some, and connect it again."
        )
    return elsewhere or url_of_profile(*dbt_credentials())


def question_tables(settings: WarehouseSettings) -> dict[str, str]:
    """The tables of the semantic models and time spines by qualified name, as the engine is to read them."""
    manifest = _read(settings.semantic_manifest_path)
    spines = manifest.get("project_configuration", {}).get("time_spines") or ()
    relations = [one["node_relation"] for one in (*manifest["semantic_models"], *spines)]
    return {f"{one['schema_name']}.{one['alias']}": one["relation_name"] for one in relations}


def access(settings: WarehouseSettings, reader: Warehouse) -> Access:
    """Ask for a row of each table that questions need, without running it."""
    found: dict[str, list[str]] = {"readable": [], "refused": [], "missing": []}
    for name, relation in question_tables(settings).items():
        try:
            reader.dry_run(reader.dialect.parse(f"SELECT 1 AS one FROM {relation}"))
            found["readable"].append(name)
        except AccessDeniedError:
            found["refused"].append(name)
        except QueryError:
            found["missing"].append(name)
    return Access(**{kind: tuple(names) for kind, names in found.items()})


def _changes(folder: Path) -> Iterator[float]:
    """When each file and folder of a project changed; a file that is gone changes its folder."""
    for entry in folder.iterdir():
        if entry.name.startswith(".") or entry.name in _NOT_SOURCE:
            continue
        if entry.is_dir():
            yield entry.stat().st_mtime
            yield from _changes(entry)
        elif entry.suffix in (".yml", ".yaml", ".sql", ".md"):
            yield entry.stat().st_mtime


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise CatalogueError(f"{path} cannot be read ({error}). Write it with `dbt parse`.") from error
