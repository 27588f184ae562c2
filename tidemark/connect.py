"""`tidemark connect`: the dbt project that questions, the stack's DAGs and its pages are about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from tidemark.console import console, errors, fail
from tidemark.stack import client_settings, plain_errors

if TYPE_CHECKING:
    from wiring.project import Project
    from wiring.settings import Settings

Folder = Annotated[
    Path | None, typer.Argument(help="The folder of dbt_project.yml; without it, what is connected.")
]
Target = Annotated[
    str, typer.Option(help="A target of the project's profile; without it, the profile's own.")
]
ProfilesDir = Annotated[
    Path | None,
    typer.Option(help="Where profiles.yml is; without it, DBT_PROFILES_DIR, the project, or ~/.dbt."),
]
Schemas = Annotated[
    str,
    typer.Option(help="What questions may read, by comma; without it, the schemas of the semantic models."),
]
Warehouse = Annotated[
    str, typer.Option(help="The warehouse's URL where the profile's is no way for questions.")
]
Overlay = Annotated[
    Path | None, typer.Option(help="Labels, units and synonyms; without it, the project's tidemark.yml.")
]


def connect(
    folder: Folder = None,
    target: Target = "",
    profiles_dir: ProfilesDir = None,
    schemas: Schemas = "",
    warehouse: Warehouse = "",
    overlay: Overlay = None,
    off: Annotated[bool, typer.Option("--off", help="Go back to the sample project.")] = False,
) -> None:
    """Choose the dbt project that questions, DAGs and pages are about."""
    from wiring.project import Choice, check_access, connected, forget, keep, of_project, prepared

    with plain_errors():
        settings = client_settings()
        if off:
            console.print("disconnected" if forget(settings) else "No project was connected.")
            return
        if folder is None:
            kept = connected(settings)
            console.print(told(kept) if kept else "No project is connected: questions are about the sample.")
            return
        choice = Choice(folder, target, profiles_dir, _names(schemas), warehouse, overlay)
        errors.print(f"[dim]dbt reads {escape(str(folder))}[/dim]")
        project = prepared(settings, choice)
        found = check_access(of_project(settings, project))
        if found.refused:
            fail(
                f"The reader may not read {', '.join(found.refused)} at {project.warehouse_url}. Grant it "
                "SELECT on them, or name a user that has it: TIDEMARK_PROJECT_READER_USER and "
                "TIDEMARK_PROJECT_READER_PASSWORD. Nothing was connected."
            )
        keep(settings, project)
    console.print(told(project))
    if found.missing:
        console.print(
            f"[yellow]not built yet[/]: {escape(', '.join(found.missing))}. Run `dbt build` in the project, "
            "or the DAG `connected_project`."
        )
    console.print("Look for what would go wrong with `tidemark check`; ask with `tidemark ask`.")


def told(project: Project) -> str:
    """One line for a person."""
    words = f" with {project.overlay}" if project.overlay else ""
    return escape(f"connected: {project.name} ({project.folder}) at {project.warehouse_url}{words}")


def project_settings(folder: Path | None, warehouse: str = "") -> Settings:
    """The settings about one project: of this folder, else the connected one, else the sample.

    `warehouse` is another than the project's, or than the stack's for the sample.
    """
    from wiring.project import Choice, connected, of_project, prepared, refreshed

    settings = client_settings()
    if warehouse and folder is None:
        return client_settings(warehouse)
    kept = connected(settings)
    if folder is not None and (warehouse or kept is None or folder.expanduser().resolve() != kept.folder):
        elsewhere = client_settings(warehouse).warehouse.warehouse_url if warehouse else ""
        return of_project(settings, prepared(settings, Choice(folder, warehouse=elsewhere)))
    return of_project(settings, refreshed(settings, kept)) if kept else settings


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name for part in listed.split(",") if (name := part.strip()))
