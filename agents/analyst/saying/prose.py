"""The rule-based model's words: a short text in English or Chinese whose figures all come with their
cells, and which says of the whole only what the whole was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel

from agents.analyst.saying.coverage import Coverage, grain_of
from agents.analyst.saying.names import inside
from agents.analyst.saying.table import Cell, ColumnMeaning, Part, Table, show
from agents.analyst.saying.texts import grains, say

LISTED = 10
_DIFFERENCES: tuple[Part, ...] = ("before", "change", "change_rate")


class Evidence(BaseModel):
    """A statement's figure and the cell it was read from; `derived` says how a column was computed to it."""

    claim: str
    value: Cell
    row: int | None = None
    column: str = ""
    derived: str = ""


@dataclass
class Draft:
    """Text with its evidence as it is written."""

    table: Table
    zh: bool
    coverage: Coverage
    lines: list[str] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)

    def say(self, english: str, chinese: str) -> None:
        self.lines.append(chinese if self.zh else english)

    def cell(self, row: int, column: ColumnMeaning) -> str:
        """A cell as text, with its evidence noted."""
        value = self.table.rows[row][self.table.index(column.name)]
        text = show(value, column)
        self.evidence.append(Evidence(claim=text, value=value, row=row, column=column.name))
        return text

    def derived(self, operation: str, column: ColumnMeaning, value: float) -> str:
        text = show(value, column)
        self.evidence.append(Evidence(claim=text, value=value, column=column.name, derived=operation))
        return text

    def count(self) -> str:
        """How many rows there are."""
        rows = len(self.table.rows)
        self.evidence.append(Evidence(claim=str(rows), value=rows, derived="count"))
        return str(rows)


def compose(
    table: Table,
    language: str,
    coverage: Coverage,
    notes: Sequence[str] = (),
) -> tuple[str, list[Evidence]]:
    """(text, evidence) of a result; `notes` are said beside it."""
    draft = Draft(table, language == "zh", coverage)
    measures = table.of_role("measure")
    if table.extent == "selected" and not table.rows:
        draft.say("None meets the condition.", "没有符合条件的结果。")
    elif not measures or missing(table, coverage):
        _nothing(draft)
    elif table.compared:
        _comparison(draft, measures)
    elif table.of_role("time") and (len(table.rows) > 1 or _undated_rows(table)) and not table.ranked:
        _series(draft, measures)
    elif table.of_role("category") or table.of_role("time") or len(table.rows) > 1:
        _ranking(draft, measures)
    else:
        _single(draft, measures)
    if notes:
        draft.lines.append(f"\n_{say('between', language).join(notes)}_")
    return "\n".join(draft.lines), draft.evidence


def missing(table: Table, coverage: Coverage) -> bool:
    """Whether a result says that there is no data, and not that the figure is zero."""
    if not table.rows or all(value is None for row in table.rows for value in row):
        return True
    if not table.empty or table.of_role("category"):
        return False
    if coverage.known is None or coverage.asked is None:
        return coverage.known is None
    start, end = coverage.asked.start, coverage.asked.end
    return bool((start and start >= coverage.known[1]) or (end and end <= coverage.known[0]))


def _nothing(draft: Draft) -> None:
    if draft.coverage.days:
        first, last = draft.coverage.days
        draft.say(
            f"There is nothing in what was asked for; the data covers {first} to {last}.",
            f"所问的范围内没有数据；现有数据覆盖 {first} 至 {last}。",
        )
    elif draft.coverage.undated:
        draft.say("There is data, but none of it has a date.", "有数据，但都没有日期。")
    else:
        draft.say("There is no data for what was asked.", "所问的内容没有数据。")


def _single(draft: Draft, measures: list[ColumnMeaning]) -> None:
    for measure in measures:
        value = draft.cell(0, measure)
        draft.say(f"{measure.label}: **{value}**.", f"{measure.label}：**{value}**。")


def _series(draft: Draft, measures: list[ColumnMeaning]) -> None:
    """Where it went, its extremes, its sum: of periods that are whole, and of all of them."""
    table = draft.table
    if table.extent != "all":
        return _listing(draft, measures)
    whole = {measure.name: _whole_rows(draft, measure) for measure in measures}
    undated = _undated_rows(table)
    if any(len(rows) < 2 for rows in whole.values()):
        _listing(draft, measures)
    else:
        _undated(draft, measures, undated)
    for measure in measures:
        rows = whole[measure.name]
        if len(rows) > 1:
            if not table.of_role("category"):
                _course(draft, measure, rows)
            _extremes(draft, measure, rows)
        if table.adds_up(measure):
            total = draft.derived("sum", measure, sum(_numbers(table.values(measure))))
            rows_said = draft.count()
            draft.say(f"The sum over all {rows_said} rows is {total}.", f"全部 {rows_said} 行合计 {total}。")


def _whole_rows(draft: Draft, measure: ColumnMeaning) -> list[int]:
    """The rows with a figure of a whole period; of a change, where the period before is whole too."""
    periods = [draft.coverage.period_of(draft.table, row) for row in range(len(draft.table.rows))]
    whole = [period is None or draft.coverage.is_whole(period) for period in periods]
    if measure.steps:
        # What lies before all that was asked for is whole where there is a figure: see `settled`.
        part = {period for period, one in zip(periods, whole, strict=True) if not one}
        back = [
            period and draft.coverage.before_it(period, measure, grain_of(draft.table)) for period in periods
        ]
        whole = [one and before not in part for one, before in zip(whole, back, strict=True)]
    dated = {*range(len(periods))}.difference(_undated_rows(draft.table))
    values = draft.table.values(measure)
    return [row for row in sorted(dated) if whole[row] and values[row] is not None]


def _undated_rows(table: Table) -> list[int]:
    """The rows of a series that belong to no time."""
    times = table.of_role("time")
    return [row for row, value in enumerate(table.values(times[0])) if value is None] if times else []


def _undated(draft: Draft, measures: list[ColumnMeaning], rows: Sequence[int]) -> None:
    """What a series leaves out is said with its figures, as far as there is room."""
    periods = grains(draft.table.of_role("time")[0].grain, "zh" if draft.zh else "en")
    for row in rows[:LISTED]:
        figures = _list(draft, [f"{measure.label} {draft.cell(row, measure)}" for measure in measures])
        name = _name(draft, row)
        draft.say(
            f"In none of the {periods}, {name}: {figures}.", f"不属于任何{periods}（{name}）：{figures}。"
        )
    if len(rows) > LISTED:
        draft.say("More rows without a date are in the table.", "其他没有日期的行见表格。")


def _course(draft: Draft, measure: ColumnMeaning, rows: list[int]) -> None:
    table = draft.table
    time = table.of_role("time")[0]
    first, last = rows[0], rows[-1]
    begin, end = draft.cell(first, measure), draft.cell(last, measure)
    from_, to = (show(table.rows[row][table.index(time.name)], time) for row in (first, last))
    draft.say(
        f"{measure.label} went from {begin} ({from_}) to {end} ({to}).",
        f"{measure.label}从 {from_} 的 {begin} 到 {to} 的 {end}。",
    )


def _extremes(draft: Draft, measure: ColumnMeaning, rows: list[int]) -> None:
    """The highest and the lowest; of the whole periods where some are not, and no lowest where a period
    without rows is lower.
    """
    table, language = draft.table, "zh" if draft.zh else "en"
    numbers = sorted((table.values(measure)[row], row) for row in rows)
    periods = grains(grain_of(table), language)
    undated = _undated_rows(table)
    dated = [value for row, value in enumerate(table.values(measure)) if row not in undated]
    part = len(rows) < len(_numbers(dated))
    of = say("of_whole", language, periods) if part else ""
    label = inside(measure.label) if part and not draft.zh else measure.label
    left, right = ("（", "）") if draft.zh else (" (", ")")
    if numbers[0][0] == numbers[-1][0]:
        value = draft.cell(rows[0], measure)
        draft.say(f"{of}{label} stayed at **{value}**.", f"{of}{label}始终为 **{value}**。")
        return
    highest = [row for value, row in numbers if value == numbers[-1][0]]
    lowest = [row for value, row in numbers if value == numbers[0][0]]
    top = f"**{draft.cell(highest[0], measure)}**{left}{_names(draft, highest)}{right}"
    if measure.zero_without_rows and _has_gaps(draft):
        draft.say(
            f"{of}{label} reached a high of {top}; some {periods} have no rows.",
            f"{of}{label}最高为 {top}，有些{periods}没有记录。",
        )
        return
    bottom = f"{draft.cell(lowest[0], measure)}{left}{_names(draft, lowest)}{right}"
    draft.say(
        f"{of}{label} reached a high of {top} and a low of {bottom}.",
        f"{of}{label}最高为 {top}，最低为 {bottom}。",
    )


def _has_gaps(draft: Draft) -> bool:
    """Whether some period, or some category in it, that is covered has no row."""
    table, grain = draft.table, grain_of(draft.table)
    if not grain:
        return False
    positions = [table.index(column.name) for column in table.of_role("category")]
    groups = {tuple(row[position] for position in positions) for row in table.rows}
    seen = {draft.coverage.period_of(draft.table, row) for row in range(len(table.rows))}
    covered = set(draft.coverage.periods(grain)) or seen
    dated = len(table.rows) - len(_undated_rows(table))
    return dated < len((covered | seen) - {None}) * len(groups)


def _ranking(draft: Draft, measures: list[ColumnMeaning]) -> None:
    table = draft.table
    ordered = dict(table.order)
    lead = next((measure for measure in measures if measure.name in ordered), measures[0])
    # The first of each part is not the first of all.
    leading = not table.partition and (
        table.extent == "all" or (table.extent != "selected" and lead.name in ordered)
    )
    alone = len(table.rows) == 1
    if leading and (not alone or table.extent == "top") and _leader(draft, lead, ordered.get(lead.name)):
        return
    if alone and leading and table.extent == "top" and len(measures) == 1:
        _rest(draft, shown=1)
    else:
        _listing(draft, measures)


def _listing(draft: Draft, measures: list[ColumnMeaning]) -> None:
    """The first rows one by one, and whether there are more."""
    table = draft.table
    shown = min(LISTED, len(table.rows))
    for row in range(shown):
        figures = [f"{measure.label} {draft.cell(row, measure)}" for measure in measures]
        draft.lines.append(
            f"{row + 1}. {_name(draft, row)}{'：' if draft.zh else ': '}{_list(draft, figures)}"
        )
    _rest(draft, shown)


def _rest(draft: Draft, shown: int) -> None:
    table = draft.table
    if table.extent == "cut":
        draft.say("There may be more rows than those in the table.", "表格以外可能还有更多行。")
    elif shown < len(table.rows):
        rows = draft.count()
        draft.say(f"All {rows} rows are in the table.", f"全部 {rows} 行见表格。")
    if table.tied:
        draft.say("Others are equal to the last one shown.", "还有与最后一项相等的未列出。")


def _leader(draft: Draft, lead: ColumnMeaning, direction: str | None) -> bool:
    """Who is first; ties share the place, and where all are equal nobody is. Whether that says it all."""
    table = draft.table
    values = table.values(lead)
    undated = _undated_rows(table)
    known = [row for row, value in enumerate(values) if value is not None and row not in undated]
    periods = [draft.coverage.period_of(table, row) for row in range(len(values))]
    whole = [row for row in known if (one := periods[row]) is None or draft.coverage.is_whole(one)]
    candidates = whole or known or [0]
    best = candidates[0] if direction else _extreme(values)
    tied = [row for row in candidates if values[row] == values[best]]
    value = draft.cell(best, lead)
    if table.extent == "all" and not any(values):
        draft.say(f"None has any: {inside(lead.label)} **{value}** throughout.",
                  f"都没有：{lead.label}均为 **{value}**。")  # fmt: skip
        return True
    if table.extent == "all" and len(tied) == len(values):
        draft.say(f"None stands out: {inside(lead.label)} **{value}** for all.",
                  f"没有差别：{lead.label}均为 **{value}**。")  # fmt: skip
        return False
    more = table.tied and values[-1] == values[best]
    names = _names(draft, tied, more)
    have = "have" if len(tied) > 1 or more else "has"
    of = _of_which(draft, lead, direction, part=0 < len(whole) < len(known))
    highest = ("lowest", "最低") if direction == "asc" else ("highest", "最高")
    draft.say(
        f"{of}{names} {have} the {highest[0]} {inside(lead.label)}: **{value}**.",
        f"{of}{lead.label}{highest[1]}的是{names}：**{value}**。",
    )
    return False


def _of_which(draft: Draft, lead: ColumnMeaning, direction: str | None, part: bool) -> str:
    """Among which ones an extreme is one: only whole periods are compared, and who has no rows at all is not
    among the lowest.
    """
    language = "zh" if draft.zh else "en"
    if part:
        return say("of_whole", language, grains(grain_of(draft.table), language))
    if direction == "asc" and lead.zero_without_rows:
        return say("of_any", language)
    return ""


def _comparison(draft: Draft, measures: list[ColumnMeaning]) -> None:
    """Each figure, the one of the earlier period, and how they differ."""
    table = draft.table
    shown = min(LISTED, len(table.rows))
    for row in range(shown):
        for base in (measure for measure in measures if measure.part == "value"):
            name = _name(draft, row)
            head = f"{row + 1}. {name}{'：' if draft.zh else ': '}" if name else ""
            now = draft.cell(row, base)
            before, change, rate = (
                draft.cell(row, column) if (column := table.part(base, part)) else "" for part in _DIFFERENCES
            )
            if rate:
                rate = f"（{rate}）" if draft.zh else f" ({rate})"
            draft.say(
                f"{head}{base.label} **{now}**, before {before}: change {change}{rate}.",
                f"{head}{base.label} **{now}**，对比期 {before}，变化 {change}{rate}。",
            )
    _rest(draft, shown)


def _names(draft: Draft, rows: Sequence[int], more: bool = False) -> str:
    """What some rows are about; where there are many, the first of them."""
    others = ("、等" if draft.zh else ", and others") if more or len(rows) > LISTED else ""
    return _list(draft, [_name(draft, row) for row in rows[:LISTED]]) + others


def _name(draft: Draft, row: int) -> str:
    """What a row is about: its categories and its time."""
    table = draft.table
    no_date = "没有日期" if draft.zh else "without a date"
    parts = [
        no_date if column.role == "time" and value is None else show(value, column)
        for column, value in zip(table.columns, table.rows[row], strict=True)
        if column.role in ("category", "time")
    ]
    return _list(draft, parts)


def _extreme(values: Sequence[Cell]) -> int:
    numbers = [(value, -row) for row, value in enumerate(values) if isinstance(value, int | float)]
    return -max(numbers)[1] if numbers else 0


def _numbers(values: Sequence[Cell]) -> list[float]:
    return [float(value) for value in values if isinstance(value, int | float)]


def _list(draft: Draft, parts: Sequence[str]) -> str:
    return ("，" if draft.zh else ", ").join(parts)
