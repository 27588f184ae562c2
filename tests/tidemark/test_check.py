"""`tidemark check` on a museum's project: each fault that was planted is found, and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from bikes import FIXTURES
from tidemark.cli import app
from warehouse import connect
from warehouse.dbt_runner import run_dbt
from warehouse.semantic.overlay import Overlay
from warehouse_process import warehouse_server
from wiring.project import Choice, of_project, prepared
from wiring.settings import Settings

pytestmark = pytest.mark.integration

# level, kind, subject, and something of what is told
PLANTED = {
    ("error", "fails", "discounts", "discount"),
    ("error", "fails", "notes", "door"),
    ("error", "fails by", "tickets.channel", "sales_channel"),
    ("error", "key not unique", "visitors.visitor", "visitor_id = 5 is 2 times in analytics.visitors"),
    ("warning", "no figure", "martian_sales", "no row"),
    ("warning", "time is empty", "tickets.sold_on", "4 of 60 rows"),
    ("warning", "shadows a column", "tickets.price", "has a column price, and this is price * quantity"),
    ("warning", "out of reach", "guides.nickname", "No metric can be grouped by it"),
    ("warning", "same words", "sales, tickets_sold", "'sales'"),
    ("warning", "same words", "cities.name, sites.name, visitors.name", "'name'"),
    ("warning", "no unit", "9 metrics", "sales_per_ticket"),
}


@pytest.fixture(scope="module")
def museum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The project, built on a server that the environment of these tests leads to."""
    with (
        warehouse_server(tmp_path_factory.mktemp("data")) as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        home = str(tmp_path_factory.mktemp("home"))
        for name, value in {
            "TIDEMARK_HOME": home,
            "TIDEMARK_STATE_DIR": home,
            "TIDEMARK_WAREHOUSE_URL": server.url,
            "TIDEMARK_WAREHOUSE_PASSWORD": "tidemark",
            "TIDEMARK_WAREHOUSE_READER_PASSWORD": "reader",
        }.items():
            patch.setenv(name, value)
        folder = tmp_path_factory.mktemp("theirs") / "museum"
        shutil.copytree(FIXTURES / "museum", folder)
        settings = Settings.read()
        run_dbt(of_project(settings, prepared(settings, Choice(folder))).warehouse, ["build"])
        yield folder


def checked(folder: Path, *options: str) -> tuple[int, str]:
    ended = CliRunner().invoke(app, ["check", str(folder), *options])
    return ended.exit_code, ended.stdout + "".join(ended.stderr.partition("error: ")[1:])


def found(folder: Path) -> list[dict[str, str]]:
    return list(json.loads(checked(folder, "--json")[1]))


def test_each_planted_fault_is_found_and_no_other(museum: Path) -> None:
    code, said = checked(museum, "--json")
    assert code == 1
    findings = json.loads(said)
    for level, kind, subject, told in PLANTED:
        (one,) = [one for one in findings if (one["kind"], one["subject"]) == (kind, subject)]
        assert one["level"] == level
        assert told in one["told"]
    assert {(one["level"], one["kind"], one["subject"]) for one in findings} == {
        planted[:3] for planted in PLANTED
    }


def test_the_table_has_a_line_a_finding_and_what_was_tried(museum: Path) -> None:
    code, said = checked(museum)
    assert code == 1
    lines = said.splitlines()
    assert sum(line.startswith(("error ", "warning ")) for line in lines) == len(PLANTED)
    assert "16 metrics" in lines[-1]
    assert "4 errors, 7 warnings" in lines[-1]
    assert "a sample" not in said


def test_of_many_metrics_some_are_tried_and_it_is_said(museum: Path) -> None:
    code, said = checked(museum, "--limit", "3")
    assert code == 1
    assert "a sample: more with --limit" in said


def test_a_draft_says_what_the_project_does_not_and_is_read_from_then_on(museum: Path) -> None:
    code, said = checked(museum, "--write-overlay")
    assert code == 1
    assert "drafted " in said
    (file,) = Path(Settings.read().agents.state_dir).glob("projects/museum-*/tidemark.yml")
    draft = Overlay.read(file)
    assert set(draft.metrics) >= {"sales", "visit_to_ticket"}
    assert draft.metrics["tickets"].unit == "count"
    assert draft.dimensions["tickets.note"].label["en"] == "Note (% of price)"
    # Unedited, it changes nothing.
    assert {one["subject"] for one in found(museum)} == {planted[2] for planted in PLANTED}

    written = yaml.safe_load(file.read_text("utf-8"))
    for name in written["metrics"]:
        written["metrics"][name]["unit"] = written["metrics"][name]["unit"] or "EUR"
    written["metrics"]["tickets_sold"]["label"] = {"en": "Pieces sold", "zh": "售出数量"}
    written["metrics"]["gone"] = {"label": {"en": "Gone"}}
    file.write_text(yaml.safe_dump(written, allow_unicode=True), "utf-8")
    kinds = [(one["kind"], one["subject"]) for one in found(museum)]
    assert ("overlay", "metric gone") in kinds
    assert ("same words", "sales, tickets_sold") not in kinds
    assert "no unit" not in dict(kinds)

    code, said = checked(museum, "--write-overlay")
    assert code == 1
    assert "There is an overlay already" in said
    file.unlink()


def test_what_is_of_a_table_that_is_not_there_is_not_tried(museum: Path) -> None:
    warehouse = connect(Settings.read().warehouse)
    warehouse.execute("RENAME TABLE analytics.tickets TO analytics.away")
    try:
        findings = found(museum)
    finally:
        warehouse.execute("RENAME TABLE analytics.away TO analytics.tickets")
    assert ("error", "no table", "analytics.tickets") in {
        (one["level"], one["kind"], one["subject"]) for one in findings
    }
    assert not any(one["kind"] in ("fails", "fails by", "time is empty") for one in findings)


def test_an_overlay_that_is_none_is_told(museum: Path) -> None:
    for text, told in (
        ("metrics: {sales: {colour: red}}", "says of metrics.sales.colour: Extra inputs"),
        ("metrics: [", "is not YAML"),
    ):
        (museum / "tidemark.yml").write_text(text)
        code, said = checked(museum)
        assert code == 1
        assert told in " ".join(said.split())
    (museum / "tidemark.yml").unlink()


KEY = "toUInt32(concat(toString(visitor_id), toString(length(name))))"
MENDED = {
    "      - {name: channel, type: categorical, expr: sales_channel}\n": "",
    "expr: toFloat64(note)}": "expr: toFloat64(length(note))}",
    "expr: discount}": "expr: price / 10}",
    "{name: visitor, type: primary, expr: visitor_id}": f'{{name: visitor, type: primary, expr: "{KEY}"}}',
}


def test_warnings_alone_end_otherwise(museum: Path) -> None:
    schema = museum / "models" / "schema.yml"
    text = schema.read_text("utf-8")
    try:
        mended = text
        for fault, right in MENDED.items():
            assert fault in mended
            mended = mended.replace(fault, right)
        schema.write_text(mended, "utf-8")
        code, said = checked(museum)
        assert "0 errors" in said, said
        assert code == 3
    finally:
        schema.write_text(text, "utf-8")
