"""The room table of docs/architecture.md, held against the imports that stand in the code."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# room -> (folder, what of ours and of Airflow it may import)
ROOMS: dict[str, tuple[str, set[str]]] = {
    "warehouse": ("warehouse", {"warehouse"}),
    "embedded": ("embedded", {"embedded"}),
    "streaming": ("streaming", {"streaming", "warehouse"}),
    "agents.runtime": ("agents/runtime", {"agents.runtime", "warehouse"}),
    "agents.analyst": ("agents/analyst", {"agents.runtime", "agents.analyst", "warehouse"}),
    "tidemark_airflow": (
        "plugins/tidemark_airflow",
        {"tidemark_airflow", "agents", "streaming", "warehouse", "airflow"},
    ),
    "dags": ("dags", {"tidemark_airflow", "airflow"}),
}
OURS = {
    "agents",
    "airflow",
    "dags",
    "embedded",
    "streaming",
    "tests",
    "tidemark",
    "tidemark_airflow",
    "warehouse",
}


def imported(source: str, package: tuple[str, ...]) -> set[str]:
    """Absolute dotted names that a source imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def forbidden(names: set[str], allowed: set[str]) -> list[str]:
    """Those of our own names (and Airflow's) that the room may not import."""
    return sorted(
        name
        for name in names
        if name.split(".")[0] in OURS and not any(name == a or name.startswith(f"{a}.") for a in allowed)
    )


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_the_table_allows(room: str) -> None:
    folder, allowed = ROOMS[room]
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files, f"{folder} holds no Python file"
    wrong = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in files
        for name in forbidden(imported(file.read_text("utf-8"), file.relative_to(ROOT).parts[:-1]), allowed)
    ]
    assert not wrong, "\n".join(wrong)


def test_a_forbidden_import_is_seen_wherever_it_stands() -> None:
    source = "def f():\n    from streaming.records import X\nfrom .. import analyst\nimport embedded.stack\n"
    names = imported(source, ("agents", "runtime"))
    assert forbidden(names, ROOMS["agents.runtime"][1]) == [
        "agents.analyst",
        "embedded.stack",
        "streaming.records.X",
    ]


def test_every_python_folder_is_a_room() -> None:
    known = {folder.split("/")[0] for folder, _ in ROOMS.values()} | {
        "tidemark",
        "tests",
        "benchmarks",
        "deploy",
    }
    folders = {p.relative_to(ROOT).parts[0] for p in ROOT.glob("[a-z]*/**/*.py")}
    assert folders <= known


def test_dbt_is_never_a_package() -> None:
    assert not (ROOT / "dbt" / "__init__.py").exists()
