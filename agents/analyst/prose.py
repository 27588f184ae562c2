"""The rule-based model's words: a short text in English or Chinese whose figures all come with their
cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from agents.analyst.linker.wording import say
from agents.analyst.table import Cell, ColumnMeaning, Table, show

LISTED = 10


@dataclass
class Draft:
    """Text with its evidence as it is written: `claim`, `value`, `row`, `column`, `derived`."""

    table: Table
    zh: bool
    lines: list[str] = field(default_factory=list)
    evidence: list[dict[str, Any]] = field(default_factory=list)

    def say(self, english: str, chinese: str) -> None:
        self.lines.append(chinese if self.zh else english)

    def cell(self, row: int, column: ColumnMeaning) -> str:
        """A cell as text, with its evidence noted."""
        value = self.table.rows[row][self.table.index(column.name)]
        text = show(value, column)
        self.evidence.append({"claim": text, "value": value, "row": row, "column": column.name})
        return text

    def derived(self, operation: str, column: ColumnMeaning, value: float) -> str:
        text = show(value, column)
        self.evidence.append({"claim": text, "value": value, "column": column.name, "derived": operation})
        return text


def compose(
    table: Table,
    language: str,
    *,
    order: Sequence[Sequence[str]] = (),
    compared: bool = False,
    assumptions: Sequence[str] = (),
    time_range: Sequence[str] | None = None,
    data_range: Sequence[str] | None = None,
    since: str = "",
) -> tuple[str, list[dict[str, Any]]]:
    """(text, evidence) of a result; `order` and `time_range` are the query's, `data_range` the first
    and last day
    with data, and `since` the day that the earlier period of a comparison begins with.
    """
    draft = Draft(table, language == "zh")
    measures = table.of_role("measure")
    if not measures or _missing(table, time_range, data_range):
        _nothing(draft, data_range)
    elif compared:
        _comparison(draft, measures)
    elif table.of_role("time") and len(table.rows) > 1:
        _series(draft, measures)
    elif table.of_role("category") or len(table.rows) > 1:
        _ranking(draft, measures, order)
    else:
        _single(draft, measures)
    notes = list(assumptions)
    if data_range and time_range and not _covered(time_range[1], data_range[1]):
        notes.append(say("running", language, data_range[1]))
    if data_range and since and since < data_range[0]:
        notes.append(say("begins", language, data_range[0]))
    if notes:
        joined = "；".join(notes) if draft.zh else "; ".join(notes)
        draft.lines.append(f"\n_{joined}_")
    return "\n".join(draft.lines), draft.evidence


def _missing(table: Table, time_range: Sequence[str] | None, data_range: Sequence[str] | None) -> bool:
    """Whether a result says that there is no data, and not that the figure is zero."""
    if not table.rows or all(value is None for row in table.rows for value in row):
        return True
    if not table.empty or table.of_role("category"):
        return False
    if data_range is None or time_range is None:
        return data_range is None
    return time_range[0][:10] > data_range[1] or time_range[1][:10] <= data_range[0]


def _covered(end: str, last: str) -> bool:
    """Whether the last day with data is the last one before the (exclusive) end."""
    return date.fromisoformat(last) + timedelta(days=1) >= datetime.fromisoformat(end).date()


def _nothing(draft: Draft, data_range: Sequence[str] | None) -> None:
    if data_range:
        first, last = data_range
        draft.say(
            f"There is nothing in what was asked for; the data covers {first} to {last}.",
            f"所问的范围内没有数据；现有数据覆盖 {first} 至 {last}。",
        )
    else:
        draft.say("There is no data for what was asked.", "所问的内容没有数据。")


def _single(draft: Draft, measures: list[ColumnMeaning]) -> None:
    for measure in measures:
        value = draft.cell(0, measure)
        draft.say(f"{measure.label}: **{value}**.", f"{measure.label}：**{value}**。")


def _series(draft: Draft, measures: list[ColumnMeaning]) -> None:
    table = draft.table
    time = table.of_role("time")[0]
    split = bool(table.of_role("category"))
    for measure in measures:
        numbers = [
            (value, row) for row, value in enumerate(table.values(measure)) if isinstance(value, int | float)
        ]
        if not numbers:
            continue
        (_, low), (_, high) = min(numbers), max(numbers)
        names = [_name(draft, row) for row in (high, low)]
        top, bottom = draft.cell(high, measure), draft.cell(low, measure)
        if not split:
            first, last = numbers[0][1], numbers[-1][1]
            begin, end = draft.cell(first, measure), draft.cell(last, measure)
            from_, to = (show(table.rows[row][table.index(time.name)], time) for row in (first, last))
            draft.say(
                f"{measure.label} went from {begin} ({from_}) to {end} ({to}).",
                f"{measure.label}从 {from_} 的 {begin} 到 {to} 的 {end}。",
            )
        draft.say(
            f"The highest was **{top}** ({names[0]}), the lowest {bottom} ({names[1]}).",
            f"最高为 **{top}**（{names[0]}），最低为 {bottom}（{names[1]}）。",
        )
        if measure.additive:
            total = draft.derived("sum", measure, float(sum(value for value, _ in numbers)))
            draft.say(
                f"The sum over all {len(table.rows)} rows is {total}.",
                f"全部 {len(table.rows)} 行合计 {total}。",
            )
            draft.evidence.append(
                {"claim": str(len(table.rows)), "value": len(table.rows), "derived": "count"}
            )


def _ranking(draft: Draft, measures: list[ColumnMeaning], order: Sequence[Sequence[str]]) -> None:
    table = draft.table
    ordered = {pair[0]: pair[1] for pair in order}
    lead = next((measure for measure in measures if measure.name in ordered), measures[0])
    if len(table.rows) > 1:
        _leader(draft, lead, ordered.get(lead.name))
        if table.empty:
            return
    shown = min(LISTED, len(table.rows))
    for row in range(shown):
        figures = [f"{measure.label} {draft.cell(row, measure)}" for measure in measures]
        draft.lines.append(
            f"{row + 1}. {_name(draft, row)}{'：' if draft.zh else ': '}{_list(draft, figures)}"
        )
    if shown < len(table.rows):
        draft.evidence.append({"claim": str(len(table.rows)), "value": len(table.rows), "derived": "count"})
        draft.say(f"All {len(table.rows)} rows are in the table.", f"全部 {len(table.rows)} 行见表格。")


def _leader(draft: Draft, lead: ColumnMeaning, direction: str | None) -> None:
    """Who is first; ties share the place, and where all are equal nobody is."""
    values = draft.table.values(lead)
    known = [row for row, value in enumerate(values) if value is not None]
    best = (known or [0])[0] if direction else _extreme(values)
    tied = [row for row, value in enumerate(values) if value == values[best]]
    value = draft.cell(best, lead)
    if not any(values):
        draft.say(f"None has any: {_lower(lead.label)} is **{value}** throughout.",
                  f"都没有：{lead.label}均为 **{value}**。")  # fmt: skip
        return
    if len(tied) == len(values):
        draft.say(f"None stands out: {_lower(lead.label)} is **{value}** for all.",
                  f"没有差别：{lead.label}均为 **{value}**。")  # fmt: skip
        return
    name = _list(draft, [_name(draft, row) for row in tied[:LISTED]])
    have = "have" if len(tied) > 1 else "has"
    extreme = ("lowest", "最低") if direction == "asc" else ("highest", "最高")
    draft.say(
        f"{name} {have} the {extreme[0]} {_lower(lead.label)}: **{value}**.",
        f"{lead.label}{extreme[1]}的是{name}：**{value}**。",
    )


def _comparison(draft: Draft, measures: list[ColumnMeaning]) -> None:
    names = {column.name: column for column in measures}
    bases = [measure for measure in measures if f"{measure.name}_change" in names]
    for row in range(min(LISTED, len(draft.table.rows))):
        for base in bases:
            now, before = draft.cell(row, base), draft.cell(row, names[f"{base.name}_previous"])
            change, rate = (
                draft.cell(row, names[f"{base.name}_{part}"]) for part in ("change", "change_rate")
            )
            name = _name(draft, row)
            head = f"{row + 1}. {name}{'：' if draft.zh else ': '}" if name else ""
            draft.say(
                f"{head}{base.label} **{now}**, before {before}: change {change} ({rate}).",
                f"{head}{base.label} **{now}**，对比期 {before}，变化 {change}（{rate}）。",
            )


def _name(draft: Draft, row: int) -> str:
    """What a row is about: its categories and its time."""
    table = draft.table
    parts = [
        show(table.rows[row][index], column)
        for index, column in enumerate(table.columns)
        if column.role in ("category", "time")
    ]
    return _list(draft, parts)


def _extreme(values: Sequence[Cell]) -> int:
    numbers = [(value, -row) for row, value in enumerate(values) if isinstance(value, int | float)]
    return -max(numbers)[1] if numbers else 0


def _list(draft: Draft, parts: Sequence[str]) -> str:
    return ("，" if draft.zh else ", ").join(parts)


def _lower(label: str) -> str:
    return label[0].lower() + label[1:] if label[1:2].islower() else label
