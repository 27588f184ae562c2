"""The drawing of the imports: the room table of docs/architecture.md, no circle, and few arrows.

Every import counts, wherever it stands in a file: in a function, or for a type checker alone.
"""

from __future__ import annotations

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# room -> (folder, what of ours and of Airflow it may import)
ROOMS: dict[str, tuple[str, set[str]]] = {
    "warehouse": ("warehouse", {"warehouse"}),
    "embedded": ("embedded", {"embedded", "warehouse.errors", "warehouse.variables"}),
    "streaming": ("streaming", {"streaming", "warehouse"}),
    "agents.runtime": ("agents/runtime", {"agents.runtime", "warehouse"}),
    "agents.pages": ("agents/pages", {"agents.pages", "agents.runtime"}),
    # An agent knows no other agent.
    **{
        f"agents.{folder.name}": (
            f"agents/{folder.name}",
            {"agents.runtime", "agents.pages", f"agents.{folder.name}", "warehouse"},
        )
        for folder in sorted((ROOT / "agents").iterdir())
        if (folder / "__init__.py").is_file() and folder.name not in ("runtime", "pages")
    },
    "wiring": ("wiring", {"wiring", "agents", "streaming", "warehouse"}),
    "tidemark_airflow": (
        "plugins/tidemark_airflow",
        {"tidemark_airflow", "wiring", "agents", "warehouse", "airflow"},
    ),
    "dags": ("dags", {"tidemark_airflow", "airflow"}),
    "tidemark": ("tidemark", {"tidemark", "wiring", "embedded"}),
    "evaluation": ("evaluation", {"evaluation", "agents", "streaming", "warehouse"}),
    "benchmarks": ("benchmarks", {"benchmarks", "wiring", "embedded", "streaming"}),
}
# One more is not a matter of course: say in docs/architecture.md what it is for, and which one went.
ARROWS = 18
OURS = {name.partition(".")[0] for name in ROOMS} | {"airflow", "tests"}


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


@cache
def modules() -> dict[str, set[str]]:
    """Each of our modules, by dotted name, with those that it imports."""
    files = {}
    for top in {name.partition(".")[0] for name in ROOMS}:
        folder = ROOT / ("plugins/tidemark_airflow" if top == "tidemark_airflow" else top)
        for file in folder.rglob("*.py"):
            parts = (top, *file.relative_to(folder).with_suffix("").parts)
            files[".".join(parts).removesuffix(".__init__")] = file
    return {
        name: {
            target
            for found in imported(file.read_text("utf-8"), package(name, file))
            if (target := longest(found, files)) and target != name
        }
        for name, file in files.items()
    }


def package(name: str, file: Path) -> tuple[str, ...]:
    """What a file's relative imports start from."""
    parts = tuple(name.split("."))
    return parts if file.name == "__init__.py" else parts[:-1]


def longest(name: str, known: dict[str, Path]) -> str:
    """The module that an imported name belongs to: itself, or what it is an attribute of."""
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name


def arrows(drawing: dict[str, set[str]]) -> set[tuple[str, str]]:
    """Which room's files import another room's: a top folder is a room here."""
    pairs = {
        (name.split(".")[0], target.split(".")[0]) for name, targets in drawing.items() for target in targets
    }
    return {(room, other) for room, other in pairs if room != other}


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


def test_no_import_leads_back_to_where_it_began() -> None:
    try:
        TopologicalSorter(modules()).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' <- '.join(error.args[1])}")


# From a question's words down to its meaning: a part may import those that stand after it.
ANALYST = ("saying", "sql", "following", "vocabulary", "grammar", "intent")


def test_the_analysts_parts_form_no_circle() -> None:
    """Not of files alone: `docs/architecture.md` draws its folders, and each stands above what it imports."""
    drawing: dict[str, set[str]] = {}
    for name, targets in modules().items():
        if name.startswith("agents.analyst."):
            part = name.split(".")[2]
            others = {target.split(".")[2] for target in targets if target.startswith("agents.analyst.")}
            drawing.setdefault(part, set()).update(others - {part})
    try:
        TopologicalSorter(drawing).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of folders: {' <- '.join(error.args[1])}")
    for at, part in enumerate(ANALYST):
        assert drawing[part] <= {*ANALYST[at + 1 :], "units"}, part


def test_the_rooms_have_no_more_arrows_than_they_had() -> None:
    found = arrows(modules())
    assert len(found) <= ARROWS, sorted(found)


def test_the_drawing_sees_a_circle_and_each_arrow_once() -> None:
    drawing = {"a.x": {"a.y", "b.z"}, "a.y": {"b.z"}, "b.z": {"a.x"}}
    assert arrows(drawing) == {("a", "b"), ("b", "a")}
    with pytest.raises(CycleError):
        TopologicalSorter(drawing).prepare()


def test_a_forbidden_import_is_seen_wherever_it_stands() -> None:
    source = "def f():\n    from streaming.records import X\nfrom .. import analyst\nimport embedded.stack\n"
    names = imported(source, ("agents", "runtime"))
    assert forbidden(names, ROOMS["agents.runtime"][1]) == [
        "agents.analyst",
        "embedded.stack",
        "streaming.records.X",
    ]


def test_every_python_folder_is_a_room() -> None:
    known = {folder.split("/")[0] for folder, _ in ROOMS.values()} | {"tests", "deploy"}
    folders = {p.relative_to(ROOT).parts[0] for p in ROOT.glob("[a-z]*/**/*.py")}
    assert folders <= known


def test_dbt_is_never_a_package() -> None:
    assert not (ROOT / "dbt" / "__init__.py").exists()
