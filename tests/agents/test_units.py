"""Units are data: each figure is written as its unit says, and a new one is an entry of units.yml alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agents.analyst.units import unit

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("USD", 1234.5, "$1,234.50"),
        ("USD", -1234.5, "-$1,234.50"),
        ("USD", 0.0000123, "$0.000012"),
        ("USD", 0, "$0.00"),
        ("ratio", 0.12, "12.0%"),
        ("ratio", -0.005, "-0.5%"),
        ("ratio", 23.4, "2,340.0%"),
        ("ratio", 0.0003, "0.03%"),
        ("points", 0.031, "3.1 pp"),
        ("count", 1200.0, "1,200"),
        ("count", 0.25, "0.25"),
        ("ms", 722.4, "722 ms"),
        ("ms", 7.224, "7.22 ms"),
        ("days", 3.0, "3"),
        ("", 3.25, "3.25"),
        ("furlongs", -4, "-4"),
    ],
)
def test_a_figure_is_written_in_its_unit(name: str, value: float, text: str) -> None:
    assert unit(name).text(value) == text


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("USD", 48937.93999999997, 48937.94),
        ("USD", 0.00123456, 0.001235),
        ("count", 7.0, 7),
        ("ms", 1.23456, 1.235),
    ],
)
def test_a_computed_figure_keeps_what_its_unit_can_say(name: str, value: float, kept: float) -> None:
    assert unit(name).rounded(value) == kept


NEW = """
kg:
  after: " kg"
  numbers: [{format: ",.1f", digits: 3}]
  axis: ",.1f"
  axis_label: kg
permille:
  scale: 1000
  after: "‰"
  numbers: [{format: .1f}]
"""
USED = """
from agents.analyst import charts, traced
from agents.analyst.saying.table import ColumnMeaning, Table, show
weight = ColumnMeaning("weight", "Weight", "measure", "kg")
share = ColumnMeaning("share", "Share", "measure", "permille")
name = ColumnMeaning("name", "Name", "category")
table = Table((name, weight, share), (("a", 1234.5, 0.0125), ("b", 2.0, 0.5)))
assert show(1234.5, weight) == "1,234.5 kg"
assert show(0.0125, share) == "12.5‰"
assert not traced.untraced("a: 1,234.5 kg, 12.5‰", table)
assert traced.untraced("a: 12.5", table)
drawn = str(charts.choose(Table((name, weight), (("a", 1234.5), ("b", 2.0))), "Weight"))
assert "Weight (kg)" in drawn
"""


def test_a_new_unit_is_one_entry_and_no_code(tmp_path: Path) -> None:
    copy = tmp_path / "agents"
    copy.mkdir()
    for file in (ROOT / "agents").rglob("*"):
        if file.suffix in (".py", ".yml", ".j2"):
            target = copy / file.relative_to(ROOT / "agents")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    with (copy / "analyst" / "units.yml").open("a", encoding="utf-8") as units:
        units.write(NEW)
    command = [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{USED}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
