"""The dbt project that questions are about: parsed, kept as the stack's choice, read by whoever asks."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from warehouse.dbt_project import Access, access, changed_since, parse_project, project_name, question_tables
from warehouse.errors import SettingsError
from wiring.settings import Settings
from wiring.warehouse import open_warehouse

OVERLAY = "tidemark.yml"
_LOCAL = ("localhost", "127.0.0.1", "::1")
_PORTS = {"http": 8123, "https": 8443}


class Project(BaseModel):
    """A parsed dbt project. `artifacts` is a folder of ours; `warehouse_url` is where its tables are, and
    `elsewhere` the same where that was said and is not the profile's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    folder: Path
    artifacts: Path
    warehouse_url: str
    target: str = ""
    profiles_dir: Path | None = None
    schemas: tuple[str, ...] = ()
    elsewhere: str = ""
    overlay: Path | None = None


@dataclass(frozen=True)
class Choice:
    """What a person says of a project; what is empty is the project's own, or dbt's."""

    folder: Path
    target: str = ""
    profiles_dir: Path | None = None
    schemas: tuple[str, ...] = ()
    warehouse: str = ""
    overlay: Path | None = None


def prepared(settings: Settings, choice: Choice) -> Project:
    """The project, parsed anew if it was changed since. Raises `DbtError`, `SettingsError`."""
    folder = choice.folder.expanduser().resolve()
    name = project_name(folder)
    target = choice.target or settings.warehouse.dbt_target
    profiles = choice.profiles_dir or settings.warehouse.dbt_profiles_dir
    profiles = profiles.expanduser().resolve() if profiles else None
    digest = sha256(f"{folder}\n{target}\n{profiles}\n{choice.warehouse}".encode()).hexdigest()[:8]
    artifacts = _state(settings) / "projects" / f"{name}-{digest}"
    project = Project(
        name=name,
        folder=folder,
        artifacts=artifacts.absolute(),
        warehouse_url=choice.warehouse or settings.warehouse.warehouse_url,
        target=target,
        profiles_dir=profiles,
        schemas=choice.schemas,
        elsewhere=choice.warehouse,
        overlay=_said(choice.overlay),
    )
    of_it = of_project(settings, project).warehouse
    profile = artifacts / "profile.txt"
    if not profile.exists() or changed_since(of_it, profile.stat().st_mtime):
        began = time.time()
        url = parse_project(of_it, choice.warehouse)
        profile.write_text(url, "utf-8")
        # What is changed while dbt parses may not have been parsed.
        os.utime(profile, (began, began))
    url = _ours(profile.read_text("utf-8"), settings)
    project = project.model_copy(update={"warehouse_url": url})
    _check_schemas(settings, project)
    return project


def of_project(settings: Settings, project: Project) -> Settings:
    """The same process's settings, about this project: its artifacts, its schemas, its warehouse's reader."""
    given: dict[str, Any] = {
        "dbt_project_dir": project.folder,
        "dbt_target_dir": project.artifacts,
        "dbt_profiles_dir": project.profiles_dir,
        "dbt_target": project.target,
        "schemas": project.schemas,
        "overlay": _overlay(project),
    }
    ours = settings.warehouse
    if project.warehouse_url != ours.warehouse_url:
        given |= {
            "warehouse_url": project.warehouse_url,
            "warehouse_password": SecretStr(""),
            "warehouse_reader_user": ours.project_reader_user,
            "warehouse_reader_password": ours.project_reader_password,
        }
    return replace(settings, warehouse=ours.model_copy(update=given))


def check_access(settings: Settings) -> Access:
    """Which of the tables that questions need the reader can read."""
    with open_warehouse(settings, read_only=True) as reader:
        return access(settings.warehouse, reader)


def keep(settings: Settings, project: Project) -> None:
    """Make it the project that the stack, its DAGs, its pages and `tidemark ask` are about."""
    file = _kept_in(settings)
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(project.model_dump_json(indent=1), "utf-8")
    fresh.replace(file)


def forget(settings: Settings) -> bool:
    """Go back to the project that Tidemark came with; returns whether another was connected."""
    file = _kept_in(settings)
    was = file.exists()
    file.unlink(missing_ok=True)
    return was


def connected(settings: Settings) -> Project | None:
    """The project that is kept. Raises `SettingsError` where what is kept cannot be read."""
    file = _kept_in(settings)
    if not file.exists():
        return None
    project = _read(file)
    if project is None:
        raise SettingsError(f"{file} cannot be read. Connect the project again: `tidemark connect DIR`.")
    return project


def of_connected(settings: Settings) -> Settings:
    """The settings about the connected project; as they are where none is."""
    project = connected(settings)
    return of_project(settings, project) if project else settings


def refreshed(settings: Settings, project: Project) -> Project:
    """The same project, parsed anew if it was changed since."""
    return prepared(
        settings,
        Choice(
            project.folder,
            project.target,
            project.profiles_dir,
            project.schemas,
            project.elsewhere,
            project.overlay,
        ),
    )


def _state(settings: Settings) -> Path:
    return settings.agents.state_dir


def _kept_in(settings: Settings) -> Path:
    return _state(settings) / "project.json"


def _read(file: Path) -> Project | None:
    try:
        return Project.model_validate_json(file.read_text("utf-8"))
    except (OSError, ValidationError, json.JSONDecodeError):
        return None


def _said(overlay: Path | None) -> Path | None:
    if overlay and not overlay.is_file():
        raise SettingsError(f"There is no overlay {overlay}. Draft one: `tidemark check --write-overlay`.")
    return overlay.expanduser().resolve() if overlay else None


def _overlay(project: Project) -> Path | None:
    """What was said, else the project's own, else what was drafted for it: whatever is there by now."""
    found = (folder / OVERLAY for folder in (project.folder, project.artifacts))
    return project.overlay or next((file for file in found if file.is_file()), None)


def _ours(url: str, settings: Settings) -> str:
    """The profile's URL; the stack's own spelling where it is the stack's warehouse."""
    own = settings.warehouse.warehouse_url
    return own if _address(url) == _address(own) else url


def _address(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return parts.scheme, "localhost" if host in _LOCAL else host, parts.port or _PORTS.get(parts.scheme)


def _check_schemas(settings: Settings, project: Project) -> None:
    if not project.schemas:
        return
    needed = {table.partition(".")[0] for table in question_tables(of_project(settings, project).warehouse)}
    if missing := sorted(needed - set(project.schemas)):
        raise SettingsError(
            f"The semantic models of {project.name} read the schemas {', '.join(sorted(needed))}, and "
            f"{', '.join(missing)} is not among those that questions may read "
            f"({', '.join(project.schemas)}). Name it with --schemas too, or leave --schemas out."
        )
