"""What a written answer is worth."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agents.analyst.document_stage import DocumentWork, score
from agents.analyst.grammar.when import Calendar
from agents.analyst.saying.coverage import Coverage
from agents.analyst.saying.table import ColumnMeaning, Table

TABLE = Table(
    columns=(ColumnMeaning("carrier", "承运商", "category"), ColumnMeaning("signed", "签收量", "measure")),
    rows=(("中通快运", 74),),
)


@pytest.mark.parametrize(
    ("text", "language", "reasons"),
    [
        ("签收量 by 承运商: 中通快运 has **74**.", "en", []),
        ("按承运商统计，中通快运的签收量最高，是 **74**。", "en", ["not in English"]),
        ("按承运商统计，中通快运的签收量最高，是 **74**。", "zh", []),
        ("中通快运 has the highest of all carriers, which is **74**.", "zh", ["not in Chinese"]),
    ],
)
def test_what_the_data_calls_itself_is_of_no_language(text: str, language: str, reasons: list[str]) -> None:
    coverage = Coverage(Calendar(datetime(2026, 11, 21, tzinfo=UTC)))
    work = DocumentWork(question="?", language=language, table=TABLE, coverage=coverage, text=text)
    assert score(work).reasons == tuple(reasons)
