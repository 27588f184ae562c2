"""What a person would change so that a day passes: the number that suffices, and a diff that git takes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml

from warehouse.quality import Outcome, widenings
from warehouse.quality.figures import needed

ROOT = Path(__file__).parents[2]
TABLE = "ods.commerce_order_items"


def rows(value: float, within: float = 0.25) -> pd.DataFrame:
    """A day whose figure was 40 to 60 on the days before."""
    return pd.DataFrame({"value": [50.0, value], "lowest": 40 * (1 - within), "highest": 60 * (1 + within)})


@pytest.mark.parametrize(
    ("value", "share"), [(78.0, 0.35), (120.0, 1.05), (26.0, 0.4), (0.0, None), (-5.0, None), (None, None)]
)
def test_the_next_step_that_lets_every_day_pass_or_none(value: float, share: float | None) -> None:
    assert needed(rows(value), 0.25) == share


def outcome(figure: str, within: float, share: float | None) -> Outcome:
    return Outcome(TABLE, "distribution", figure, False, "1 of 2", figure=figure, within=within, needed=share)


def test_all_changes_of_a_table_are_one_diff_that_git_applies(tmp_path: Path) -> None:
    found = widenings([outcome("sale_price", 0.25, 0.35), outcome("over_50_usd", 0.25, 0.4)])[TABLE]
    assert found.file == "warehouse/ingestion/tables/order_items.yml"
    assert [change.key for change in found.changes] == [
        "gate.figures.sale_price.within",
        "gate.figures.over_50_usd.within",
    ]
    copy = tmp_path / found.file
    copy.parent.mkdir(parents=True)
    before = (ROOT / found.file).read_text("utf-8")
    copy.write_text(before, "utf-8")
    subprocess.run(["git", "apply", "-"], input=found.diff.encode(), cwd=tmp_path, check=True)
    figures = yaml.safe_load(copy.read_text("utf-8"))["gate"]["figures"]
    assert (figures["sale_price"]["within"], figures["over_50_usd"]["within"]) == (0.35, 0.4)
    assert figures["rows"] == yaml.safe_load(before)["gate"]["figures"]["rows"]


def test_nothing_is_widened_where_no_share_would_do_or_nothing_is_judged_by_one() -> None:
    assert widenings([outcome("sale_price", 0.25, None)]) == {}
    assert widenings([Outcome("dws.sales", "totals", "sums agree", False, "1 of 2")]) == {}
