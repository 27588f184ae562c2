"""The analyst answers the reports' questions on BigQuery as on ClickHouse: the same rows, the same text."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from agents.analyst import Analyst, Answer
from agents.analyst.questions import load_questions
from agents.runtime.settings import AgentSettings
from two_engines import Both, Engine
from warehouse import Catalogue
from warehouse.semantic import SemanticLayer

pytestmark = pytest.mark.integration
# Counted from now, which is another moment for the second engine: the last hour becomes a range of its own.
QUESTIONS = [*load_questions("sales"), *load_questions("self")]


def analyst(engine: Engine, state: Path) -> Analyst:
    layer = SemanticLayer.load(engine.settings.semantic_manifest_path, engine.reader.dialect)
    catalogue = Catalogue.load(engine.settings.manifest_path, engine.reader, layer.table_words())
    return Analyst(engine.reader, layer, catalogue, AgentSettings(state_dir=state))


def same(ours: Answer, theirs: Answer) -> bool:
    """Row by row in their order; floats, which the text rounds, to nine digits."""
    return (
        len(ours.rows) == len(theirs.rows)
        and [one.model_dump() for one in ours.columns] == [one.model_dump() for one in theirs.columns]
        and all(
            math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-8)
            if isinstance(one, float) and isinstance(other, float | int)
            else one == other
            for row, other_row in zip(ours.rows, theirs.rows, strict=True)
            for one, other in zip(row, other_row, strict=True)
        )
    )


def test_the_questions_of_the_reports_have_the_same_answers(both: Both, tmp_path: Path) -> None:
    first, second = analyst(both.clickhouse, tmp_path / "ours"), analyst(both.bigquery, tmp_path / "theirs")
    answered = 0
    for question in QUESTIONS:
        ours, theirs = first.ask(question), second.ask(question)
        assert ours.status == theirs.status, (question, ours.reasons, theirs.reasons)
        if ours.status == "declined":
            # There are forty days of data, and no quarter before this one.
            assert "it is known from" in ours.text or "已有数据为" in ours.text
            continue
        assert same(ours, theirs), (question, ours.rows, theirs.rows)
        assert not ours.estimate
        assert theirs.estimate == "0 bytes, about $0.00", "an emulator's"
        assert theirs.estimate in (Path(theirs.report_path) / "answer.md").read_text()
        # But for what it says of the time, which goes on.
        assert ours.text.partition("\n\n_")[0] == theirs.text.partition("\n\n_")[0]
        answered += bool(ours.rows)
    assert answered >= 8
