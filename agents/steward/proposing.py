"""What may be done about the faults that were found: a day again, rows put aside, a bound in question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from agents.steward.case import FailedCheck, Finding, Proposal, Source, Step
from agents.steward.queries import qualified, quoted
from agents.steward.wording import Language

# What a source that is asked again can deliver rightly.
_RELOADED = (
    "late", "doubled", "truncated", "negative", "broken_reference", "wrong_unit", "time_shift", "unknown",
    "missing_table",
)  # fmt: skip
_TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "reload": "Load {days} again from the source, every table, in place of what is held.",
        "quarantine": "Put {rows} rows of `{table}` of {days} aside, with the reason, and keep the rest.",
        "widen": "If the source says that {days} is right: a person changes `{file}` in git ({changes}), as "
        "the diff below. No scheduled task edits the repository.",
    },
    "zh": {
        "reload": "从源头重新加载 {days} 的所有表，替换现有数据。",
        "quarantine": "将 `{table}` 在 {days} 的 {rows} 行隔离并注明原因，其余保留。",
        "widen": "如果源头确认 {days} 正确：由人在 git 中修改 `{file}`（{changes}），见下方差异。"
        "定时任务不会修改代码库。",
    },
}


def propose(
    findings: Iterable[Finding],
    checks: Iterable[FailedCheck],
    sources: Mapping[str, Source],
    held: tuple[date, date] | None,
    language: Language,
) -> tuple[Proposal, ...]:
    """At most one proposal of each kind, the surest first; `held` are the first and last day of the history.

    Rows are put aside only where the fault says which they are.
    """
    found, texts = list(findings), _TEXTS[language]
    days = {day for f in found if f.fault in _RELOADED for day in touched(f)}
    if held and any(f.fault == "missing_table" for f in found):
        days |= {held[0] + timedelta(days=n) for n in range((held[1] - held[0]).days + 1)}
    proposals = []
    if days:
        again = Step(days=tuple(sorted(days)))
        text = texts["reload"].format(days=said_days(again.days))
        proposals.append(Proposal(action="reload", steps=(again,), text=text))
    steps = tuple(step for f in found if (step := _aside(f, sources)))
    if steps:
        told = [texts["quarantine"].format(rows=s.rows, table=s.table, days=said_days(s.days)) for s in steps]
        proposals.append(Proposal(action="quarantine", steps=steps, text=" ".join(told)))
    drifts = [f for f in found if f.fault == "drifted"]
    bounds = {c.bound.file: (c.bound, c.table) for c in checks if c.bound}
    widened = [(b, [f for f in drifts if f.table == table]) for b, table in bounds.values()]
    if told := [
        texts["widen"].format(
            days=said_days(sorted({d for f in about for d in f.days})), file=bound.file,
            changes="; ".join(f"`{change}`" for change in bound.changes),
        )
        for bound, about in widened if about
    ]:  # fmt: skip
        diff = "".join(bound.diff for bound, about in widened if about)
        proposals.append(Proposal(action="widen", text=" ".join(told), diff=diff))
    return tuple(proposals)


def touched(finding: Finding) -> set[date]:
    """The days that must be loaded again: of rows that came late, also the one on which they came."""
    came = {date.fromisoformat(sign.words["came"]) for sign in finding.signs if sign.kind == "arrived_late"}
    return {*finding.days, *(came if finding.fault == "late" else ())}


def _aside(finding: Finding, sources: Mapping[str, Source]) -> Step | None:
    source = sources.get(finding.table)
    if source is None or not finding.columns or not finding.days:
        return None
    column = quoted(finding.columns[0])
    if finding.fault == "negative":
        where = " or ".join(f"{quoted(c)} < 0" for c in finding.columns)
    elif finding.fault == "broken_reference":
        to = next((r for r in source.references if r.column == finding.columns[0]), None)
        if to is None:
            return None
        keys = f"select {quoted(to.key)} from {qualified(to.table)}"
        where = f"{column} is not null and {column} not in ({keys})"

    elif finding.fault == "unknown" and any(sign.kind == "empty" for sign in finding.signs):
        where = f"{column} is null"
        where += f" or {column} = ''" if source.columns[finding.columns[0]] == "text" else ""
    else:
        return None
    return Step(table=finding.table, days=finding.days, where=where, rows=finding.rows)


def said_days(days: Iterable[date]) -> str:
    """Days as text, those that follow each other as a range."""
    return ", ".join(said_span(first, last) for first, last in spans(days))


def said_span(first: date, last: date) -> str:
    return str(first) if first == last else f"{first} … {last}"


def spans(days: Iterable[date]) -> list[tuple[date, date]]:
    """The first and last of days that follow each other."""
    out: list[tuple[date, date]] = []
    for day in sorted(days):
        if out and day - out[-1][1] == timedelta(days=1):
            out[-1] = (out[-1][0], day)
        else:
            out.append((day, day))
    return out
