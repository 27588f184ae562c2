"""An intent in one short line, for tables of questions and what they must be read as."""

from __future__ import annotations

from typing import Any

from agents.analyst.intent import (
    AtPart,
    By,
    Change,
    Compares,
    CountOf,
    Difference,
    Every,
    Intent,
    Is,
    Mean,
    MetricOf,
    Missing,
    Not,
    PartOf,
    Period,
    Periods,
    QuantileOf,
    Ratio,
    Running,
    Share,
    Slice,
)


def noted(intent: Intent) -> str:
    """`revenue | by product__brand | where user__country=China | in 2026-10-01..2026-11-01`."""
    parts = [", ".join(map(_measure, intent.measures))]
    if intent.groups:
        parts.append("by " + ", ".join(map(_group, intent.groups)))
    if intent.where:
        parts.append("where " + _condition(intent.where))
    if intent.window:
        parts.append("in " + _period(intent.window))
    if intent.against:
        parts.append("against " + _period(intent.against))
    parts += [f"having {_measure(one.measure)} {one.op} {one.value:g}" for one in intent.having]
    if intent.order:
        by = intent.order.by
        ordered = _group(by) if isinstance(by, By | Every | PartOf | Periods) else _measure(by)
        part = "" if intent.order.part == "value" else f" {intent.order.part}"
        limit = f" {intent.limit}" if intent.limit else ""
        parts.append(f"{intent.order.direction} {ordered}{part}{limit}")
    if intent.partition:
        parts.append("in each " + ", ".join(map(_group, intent.partition)))
    return " | ".join(parts)


def _measure(one: Any) -> str:
    match one:
        case MetricOf():
            return one.name
        case CountOf():
            having = "".join(f" {_measure(t.measure)} {t.op} {t.value:g}" for t in one.having)
            return f"count({one.of}{f' among {one.among}' if one.among else ''}{having})"
        case QuantileOf():
            return f"q{one.q:g}({_measure(one.of)}{f' per {_group(one.per)}' if one.per else ''})"
        case Slice():
            where = _condition(one.where) if one.where else ""
            window = _period(one.window) if one.window else ""
            return f"{_measure(one.of)}[{f'{where} {window}'.strip()}]"
        case Ratio():
            return f"({_measure(one.numerator)} / {_measure(one.denominator)})"
        case Difference():
            return f"({_measure(one.left)} - {_measure(one.right)})"
        case Share():
            return f"share({_measure(one.of)}{f' of {_condition(one.of_which)}' if one.of_which else ''})"
        case Mean():
            return f"mean({_measure(one.of)} per {_group(one.per)})"
        case Change():
            return f"{one.form}({_measure(one.of)}{' year' if one.back == 'year' else ''})"
        case Running():
            return f"running({_measure(one.of)})"
    raise TypeError(one)


def _group(one: Any) -> str:
    match one:
        case By():
            return f"{one.dimension}{f'.{one.grain}' if one.grain else ''}"
        case Every():
            return str(one.grain)
        case PartOf():
            return str(one.part)
        case Periods():
            return " & ".join(map(_period, one.periods))
    raise TypeError(one)


def _condition(one: Any) -> str:
    match one:
        case Is():
            return f"{one.dimension}={'/'.join(map(str, one.values))}"
        case Compares():
            return f"{one.dimension}{one.op}{one.value}"
        case Missing():
            return f"no {one.dimension}"
        case AtPart():
            return f"{one.part}={'/'.join(map(str, one.values))}"
        case Not():
            return f"not {_condition(one.of)}"
    return "(" + f" {one.kind} ".join(map(_condition, one.of)) + ")"


def _period(one: Period) -> str:
    return "..".join(
        f"{edge:%Y-%m-%d %H:%M}".removesuffix(" 00:00") if edge else "" for edge in (one.start, one.end)
    )
