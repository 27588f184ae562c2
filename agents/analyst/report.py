"""The report folder of one answer: JSON, Markdown, one self-contained page, the chart three ways, the rows
as CSV.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from markupsafe import Markup

from agents.analyst import rendering
from agents.analyst.answer import Answer
from agents.analyst.saying.table import Table
from agents.pages import document, fonts, markdown, published, templates
from agents.runtime.errors import ToolError

ROWS_SHOWN = 200


def write(answer: Answer, table: Table, svg: str, reports: Path, limit_s: float = rendering.LIMIT_S) -> Path:
    """Write `reports/<run id>/` and return it; readers never see a half-written folder.

    `svg` is the chart's picture; in other forms it is drawn within the limit, or left out with the reason in
    the answer. Raises PermanentError when the folder cannot be written.
    """
    folder = reports / answer.run_id
    with published(folder) as draft:
        answer.report_path = str(folder)
        page = document(answer.question, answer.language, [("", [section(answer, table, svg)])])
        (draft / "index.html").write_text(page, encoding="utf-8")
        if answer.chart is not None:
            rule = fonts.face(page)
            (draft / "chart.svg").write_text(fonts.into_svg(svg, rule), encoding="utf-8")
            try:
                (draft / "chart.png").write_bytes(rendering.png(answer.chart, limit_s))
                shown = rendering.html(answer.chart, rule, limit_s)
                (draft / "chart.html").write_text(shown, encoding="utf-8")
            except ToolError as error:
                answer.reasons.append(f"report: {error}")
        if table.columns:
            (draft / "data.csv").write_text(_csv(table), encoding="utf-8-sig")
        (draft / "answer.md").write_text(_markdown(answer, table), encoding="utf-8")
        (draft / "answer.json").write_text(answer.model_dump_json(indent=2), encoding="utf-8")
    return folder


def section(answer: Answer, table: Table, svg: str) -> Markup:
    """One answer as HTML, for a page of its own or a chapter of a longer report."""
    rows = [
        [table.shown(c, v) for c, v in zip(table.columns, row, strict=True)]
        for row in table.rows[:ROWS_SHOWN]
    ]
    template = templates(Path(__file__).parent).get_template("answer.html.j2")
    return Markup(
        template.render(
            answer=answer,
            table=table,
            rows=rows,
            body=markdown.to_html(answer.text),
            svg=Markup(_inline(svg)),
            words=_WORDS[answer.language],
            rows_said=_rows_said(answer, len(rows)),
            checked=_checked(answer),
        )
    )


def _csv(table: Table) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.name for column in table.columns])
    writer.writerows(table.rows)
    return text.getvalue()


def _markdown(answer: Answer, table: Table) -> str:
    words = _WORDS[answer.language]
    lines = [f"# {answer.question}", ""]
    if answer.meaning:
        lines += [f"{words['understood']}: {answer.meaning.sentence}", ""]
    lines += [answer.text, ""]
    if table.rows:
        lines.append("| " + " | ".join(column.label for column in table.columns) + " |")
        lines.append("|" + " --- |" * len(table.columns))
        shown = table.rows[:ROWS_SHOWN]
        for row in shown:
            cells = (table.shown(c, v).replace("|", "\\|") for c, v in zip(table.columns, row, strict=True))
            lines.append("| " + " | ".join(cells) + " |")
        lines += ["", _rows_said(answer, len(shown)), "", "![](chart.svg)", ""]
    if answer.sql:
        lines += ["```sql", answer.sql, "```", ""]
    if answer.estimate:
        lines += [f"{words['estimate']}: {answer.estimate}", ""]
    lines += [f"{words[answer.status]}: {_checked(answer)}", *answer.reasons]
    return "\n".join(lines) + "\n"


def _rows_said(answer: Answer, shown: int) -> str:
    """How many rows are shown, of how many, and whether there are more than the result holds."""
    words = _WORDS[answer.language]
    total = f"{len(answer.rows):,}"
    said = (
        words["rows"].format(total)
        if shown == len(answer.rows)
        else words["some"].format(f"{shown:,}", total)
    )
    return said + words[answer.extent]


def _checked(answer: Answer) -> str:
    """What was checked, and whether it held."""
    words = _WORDS[answer.language]
    return " · ".join(words[check if held else f"not_{check}"] for check, held in answer.checks.items())


def _inline(svg: str) -> str:
    """The SVG as part of a page: it scales with its column."""
    svg = re.sub(r"^<\?xml[^>]*\?>|<!DOCTYPE[^>]*>", "", svg).strip()
    return re.sub(r"^<svg ", '<svg role="img" style="max-width:100%;height:auto" ', svg, count=1)


_WORDS = {
    "en": {
        "chart": "Chart",
        "data": "Data",
        "sql": "SQL",
        "evidence": "Evidence",
        "checks": "What was checked",
        "proven": "what was understood is what the SQL is of",
        "not_proven": "nothing proves that the SQL is of what was asked",
        "ran": "the SQL ran",
        "not_ran": "the SQL did not run",
        "valid": "the chart is valid",
        "not_valid": "the chart is not valid",
        "traced": "every figure of the text is in the result",
        "not_traced": "not every figure of the text is in the result",
        "claim": "Figure",
        "where": "Where it comes from",
        "row": "row",
        "rows": "{} rows",
        "some": "the first {} of {} rows, all of which are in data.csv",
        "all": "",
        "selected": ", those that meet the condition",
        "top": ", the first of more",
        "cut": "; there may be more than one query returns",
        "answered": "answered",
        "declined": "declined",
        "failed": "failed",
        "asked": "asked",
        "understood": "Understood as",
        "confidence": "confidence",
        "notes": "To be known",
        "unclear": "asked back",
        "estimate": "Estimated before it ran",
        "reasons": "What is missing",
        "model": "model",
        "seconds": "s",
    },
    "zh": {
        "chart": "图表",
        "data": "数据",
        "sql": "SQL",
        "evidence": "证据",
        "checks": "检查内容",
        "proven": "SQL 与所理解的问题一致",
        "not_proven": "无法证明 SQL 就是所问的内容",
        "ran": "SQL 已运行",
        "not_ran": "SQL 未能运行",
        "valid": "图表有效",
        "not_valid": "图表无效",
        "traced": "文中每个数字都在结果中",
        "not_traced": "文中有数字不在结果中",
        "claim": "数字",
        "where": "出处",
        "row": "第",
        "rows": "{} 行",
        "some": "共 {1} 行，显示前 {0} 行，全部在 data.csv 中",
        "all": "",
        "selected": "，均符合条件",
        "top": "，另有更多未列出",
        "cut": "；可能超过一次查询可返回的行数",
        "answered": "已回答",
        "declined": "未回答",
        "failed": "失败",
        "asked": "提问时间",
        "understood": "理解为",
        "confidence": "置信度",
        "notes": "须知",
        "unclear": "需要确认",
        "estimate": "运行前的估计",
        "reasons": "缺少的内容",
        "model": "模型",
        "seconds": "秒",
    },
}
