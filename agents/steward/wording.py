"""What the steward says, in English and in Chinese: a sentence a sign, a headline a fault."""

from __future__ import annotations

from typing import Literal

from agents.steward.case import Cite, Fault, Finding, Record, Sign

Language = Literal["en", "zh"]

FAULTS: dict[Language, dict[Fault, str]] = {
    "en": {
        "late": "late",
        "doubled": "doubled",
        "truncated": "truncated",
        "negative": "negative values",
        "drifted": "drifted",
        "missing_table": "missing table",
        "broken_reference": "broken reference",
        "wrong_unit": "wrong unit",
        "time_shift": "time-zone shift",
        "unknown": "unknown fault",
    },
    "zh": {
        "late": "迟到",
        "doubled": "重复",
        "truncated": "截断",
        "negative": "负值",
        "drifted": "漂移",
        "missing_table": "缺表",
        "broken_reference": "引用断裂",
        "wrong_unit": "单位错误",
        "time_shift": "时区偏移",
        "unknown": "未知故障",
    },
}
SEVERITIES = {
    "en": {"high": "high", "medium": "medium", "low": "low"},
    "zh": {"high": "高", "medium": "中", "low": "低"},
}
_SIGNS: dict[Language, dict[str, str]] = {
    "en": {
        "no_table": "`{table}` is not there, or holds no row.",
        "no_rows": "`{table}` has no row of {day}, where about {expected} are usual.",
        "fewer_rows": "`{table}` has {of_rows} rows of {day}, where about {expected} are usual.",
        "more_rows": "`{table}` has {of_rows} rows of {day}, where about {expected} are usual.",
        "two_loads": "The rows of {day} in `{table}` are of {loads} loads; a day is otherwise of one.",
        "repeated": "{rows} of the {of_rows} rows of {day} in `{table}` repeat a key of that day.",
        "loaded_again": "{rows} keys of {day} in `{table}` came again by another load.",
        "negative": "{rows} values of `{column}` on {day} in `{table}` are below zero.",
        "scaled": "{about} {rows} values of `{column}` on {day} in `{table}` are {factor} times as usual.",
        "shifted": "{about} {rows} values of `{column}` on {day} in `{table}` lie {hours} hours off.",
        "moved_out": "Values of `{column}` on {day} in `{table}` lie on another day than usual.",
        "redistributed": "`{column}` of {day} in `{table}` is distributed otherwise than on the other days.",
        "rewritten": "{rows} values of `{column}` on {day} in `{table}` contradict other days.",
        "new_values": "{rows} values of `{column}` on {day} in `{table}` are on no other day.",
        "empty": "{rows} values of `{column}` on {day} in `{table}` are empty.",
        "orphans": "{rows} rows of {day} in `{table}` name a `{column}` that is not in `{other}`.",
        "childless": "{rows} keys of {day} in `{table}` have no row in `{other}`.",
        "arrived_late": "{rows} keys of `{table}` that belong to {day} came on {came}.",
        "not_a_number": "{rows} values of `{column}` on {day} in `{table}` are no number, or infinite.",
        "failing": "{rows} rows of {day} in `{table}` fail the check.",
        "refused": "`{table}` could not be asked, because the warehouse says: `{reason}`",
    },
    "zh": {
        "no_table": "`{table}` 不存在，或没有任何行。",
        "no_rows": "`{table}` 没有 {day} 的行；按其他日期和表，通常约 {expected} 行。",
        "fewer_rows": "`{table}` 在 {day} 有 {of_rows} 行；按其他日期和表，通常约 {expected} 行。",
        "more_rows": "`{table}` 在 {day} 有 {of_rows} 行；按其他日期和表，通常约 {expected} 行。",
        "two_loads": "`{table}` 中 {day} 的行来自 {loads} 次加载；通常一天只有一次。",
        "repeated": "`{table}` 中 {day} 的 {of_rows} 行里有 {rows} 行重复了当天已有的键。",
        "loaded_again": "`{table}` 中 {day} 有 {rows} 个键由另一次加载再次送达。",
        "negative": "`{table}` 中 {day} 有 {rows} 个 `{column}` 小于零。",
        "scaled": "`{table}` 中 {day} {about} {rows} 个 `{column}` 为平时的 {factor} 倍。",
        "shifted": "`{table}` 中 {day} {about} {rows} 个 `{column}` 与平时相差 {hours} 小时。",
        "moved_out": "`{table}` 中 {day} 的 `{column}` 落在与平时不同的日期。",
        "redistributed": "`{table}` 中 {day} 的 `{column}` 分布与其他日期不同。",
        "rewritten": "`{table}` 中 {day} 有 {rows} 个 `{column}` 与其他日期同键的值不一致。",
        "new_values": "`{table}` 中 {day} 有 {rows} 个 `{column}` 的值在其他日期从未出现。",
        "empty": "`{table}` 中 {day} 有 {rows} 个 `{column}` 为空。",
        "orphans": "`{table}` 中 {day} 有 {rows} 行的 `{column}` 在 `{other}` 中不存在。",
        "childless": "`{table}` 中 {day} 有 {rows} 个键在 `{other}` 中没有对应的行。",
        "arrived_late": "`{table}` 中属于 {day} 的 {rows} 个键在 {came} 才到达。",
        "not_a_number": "`{table}` 中 {day} 有 {rows} 个 `{column}` 不是数字或为无穷大。",
        "failing": "`{table}` 中 {day} 有 {rows} 行未通过检查。",
        "refused": "无法查询 `{table}`，数据仓库的答复：`{reason}`",
    },
}
_DOUBTS = {
    "en": {
        "by_values_only": "Only their distribution says so: no other row of the same keys does.",
        "may_be_so": "Or the values are truly so: whether the source has changed, the rows do not say.",
        "less_to_deliver": "Or there was less to deliver: no other table names rows that are lacking.",
        "few_values": "Only a few values say so: they may be wrong in another way.",
        "not_there_yet": "The day may still come, or be lost.",
        "by_hours_only": "Only the hours of the day say so: no other row of the same keys does.",
        "or_reference": "Or the references to it are wrong: what it lacks is seen only from the other table.",
        "no_name": "The steward has no name for this; what was measured is below.",
    },
    "zh": {
        "by_values_only": "只有分布表明这一点，没有同键的其他行可以对照。",
        "may_be_so": "也可能数据确实如此：源头是否真有变化，数据本身无法说明。",
        "less_to_deliver": "也可能当天本来就较少：没有其他表指向缺少的行。",
        "few_values": "只有少数几个值表明这一点，也可能是别的错误。",
        "not_there_yet": "这一天的数据可能还会到达，也可能已丢失。",
        "by_hours_only": "只有时刻分布表明这一点，没有同键的其他行可以对照。",
        "or_reference": "也可能是引用本身有误：缺少的行只能从另一张表看出。",
        "no_name": "管家对此没有名称；测得的情况见下。",
    },
}
WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Why {task} failed",
        "nothing": "Nothing wrong was found: no check fails now, and no day differs from the others.",
        "unexplained": "The cause is not known. What was asked, and what came back, is below.",
        "not_known": "cause not known",
        "headline": "**{fault}** in `{table}`{days}, severity {severity}.",
        "on": " on {days}",
        "about": "About",
        "at least": "At least",
        "proposed": "Proposed",
        "decided": "Decided:",
        "somebody": "somebody",
        "earlier": "Earlier",
        "same": "`{table}`: the same ({fault}) on {days}; {decided}.",
        "was_reload": "{by} had the days loaded again",
        "was_quarantine": "{by} had the rows put aside",
        "was_leave": "{by} refused what was proposed and left it",
        "undecided": "nobody has decided",
        "reload": "load the days again",
        "quarantine": "put the rows aside",
        "widen": "widen the bound",
        "leave": "leave it as it is",
        "holds": "The check was made again and holds.",
        "fails": "The check was made again and still fails.",
        "explained": "explained",
        "healthy": "nothing wrong found",
        "model": "model",
        "dropped": "Statements that their evidence did not carry",
        "examined": "Tables examined",
        "failed": "`{check}` failed: {observed}",
        "about_fault": "{fault} in `{table}`{days} ({rows} rows)",
        "gone": "Not done, for what it was about is gone: {faults}. The data was changed meanwhile.",
        "grown": "Not done, for it is about more than what was proposed: {faults}. Have it examined again.",
        "not_made": "Could not be done: {why}",
        "unchecked": "The check could not be made again: {why}",
    },
    "zh": {
        "title": "{task} 失败的原因",
        "nothing": "没有发现问题：现在没有检查未通过，各天之间没有差异。",
        "unexplained": "原因不明。查询及其结果见下。",
        "not_known": "原因不明",
        "headline": "`{table}`{days} **{fault}**，严重程度：{severity}。",
        "on": " 在 {days}",
        "about": "约有",
        "at least": "至少有",
        "proposed": "建议",
        "decided": "决定：",
        "somebody": "某人",
        "earlier": "此前",
        "same": "`{table}`：{days} 也出现过（{fault}）；{decided}。",
        "was_reload": "{by} 决定重新加载了这些天",
        "was_quarantine": "{by} 决定隔离了这些行",
        "was_leave": "{by} 拒绝了建议，保持原样",
        "undecided": "无人作出决定",
        "reload": "重新加载这些天",
        "quarantine": "隔离这些行",
        "widen": "放宽界限",
        "leave": "保持原样",
        "holds": "已重新检查，检查通过。",
        "fails": "已重新检查，检查仍未通过。",
        "explained": "已查明",
        "healthy": "未发现问题",
        "model": "模型",
        "dropped": "证据不支持而删去的陈述",
        "examined": "检查过的表",
        "failed": "`{check}` 未通过：{observed}",
        "about_fault": "`{table}`{days} {fault}（{rows} 行）",
        "gone": "未执行：所针对的问题已不存在：{faults}。数据在此期间已被更改。",
        "grown": "未执行：现在涉及的范围超出当时的建议：{faults}。请重新检查。",
        "not_made": "未能执行：{why}",
        "unchecked": "无法重新检查：{why}",
    },
}


class Statement(Record):
    """A sentence, the fault that it names (none where it only tells what was measured) and the rows that must
    carry it.
    """

    text: str
    fault: Fault | None = None
    cites: tuple[Cite, ...] = ()


def said(sign: Sign, language: Language) -> Statement:
    """A sign as a sentence."""
    shown = {name.replace(" ", "_"): _number(value) for name, value in sign.figures.items()}
    # What another version of a row contradicts is so for certain, and there may be more of it.
    about = WORDS[language]["at least" if "pairs" in sign.figures else "about"]
    values = {
        "about": about,
        "table": sign.table, "day": sign.day, "column": sign.column, "rows": f"{sign.rows:,}",
        "of_rows": f"{sign.of_rows:,}", **shown, **sign.words,
    }  # fmt: skip
    return Statement(text=_SIGNS[language][sign.kind].format(**values), cites=sign.cites)


def headline(finding: Finding, language: Language) -> Statement:
    """A fault as a sentence, with what else it could be."""
    words = WORDS[language]
    days = ", ".join(map(str, finding.days))
    text = words["headline"].format(
        fault=FAULTS[language][finding.fault],
        table=finding.table,
        days=words["on"].format(days=days) if days else "",
        severity=SEVERITIES[language][finding.severity],
    )
    if finding.doubt:
        text += " " + _DOUBTS[language][finding.doubt]
    cites = tuple(dict.fromkeys(cite for sign in finding.signs for cite in sign.cites))
    return Statement(text=text, fault=finding.fault, cites=cites)


def statements(finding: Finding, language: Language) -> tuple[Statement, ...]:
    """The fault, then what was measured of it; what several signs say alike once, with the rows of all."""
    told: dict[str, tuple[Cite, ...]] = {}
    for statement in (said(sign, language) for sign in finding.signs):
        cites = (*told.get(statement.text, ()), *statement.cites)
        told[statement.text] = tuple(dict.fromkeys(cites))
    measured = (Statement(text=text, cites=cites) for text, cites in told.items())
    return (headline(finding, language), *measured)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value.is_integer() else f"{value:,.4g}"
