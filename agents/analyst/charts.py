"""Which chart fits a result: a Vega-Lite spec by the data's shape, without the data itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agents.analyst.table import ColumnMeaning, Table, show

Spec = dict[str, Any]

# A family that does not exist blanks all text in silence, so the list always ends with sans-serif.
FONT = "Noto Sans CJK TC, Noto Sans, Helvetica, Arial, sans-serif"
PALETTE = ("#2563a8", "#d97706", "#0f766e", "#b4416b", "#6d5bd0", "#65822b", "#0e7490", "#a8552a")
MUTED = "#b4c0d0"
_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_MOST_BARS = 30
_FORMATS = {"USD": "$,.2~f", "ratio": ".1~%", "ms": ",.0f", "days": ",.1f", "count": ",.2~f"}


def choose(table: Table, title: str, compared: bool = False) -> Spec:
    """A spec for the table: card, line, bar, grouped bars or grid; its data is named `result`."""
    measures, times, categories = table.of_role("measure"), table.of_role("time"), table.of_role("category")
    if not table.rows or not measures:
        body = _text("–")
    elif table.empty and categories and not times:
        body = _cards(table, measures, f"{categories[0].label} × {len(table.rows)}")
    elif compared:
        body = _comparison(table, categories)
    elif times and len(table.rows) > 1:
        body = _per_unit(measures, lambda group: _line(table, times[0], categories, group))
    elif categories:
        body = _per_unit(measures, lambda group: _bars(table, categories, group))
    else:
        body = _cards(table, measures)
    return {
        "$schema": _SCHEMA,
        "title": {"text": _wrapped(title), "anchor": "start", "fontSize": 15, "offset": 14},
        "data": {"name": "result"},
        **body,
        "config": _CONFIG,
    }


def bind(spec: Mapping[str, Any], table: Table) -> Spec:
    """The spec with the result's rows in it, so that it stands alone."""
    names = [column.name for column in table.columns]
    rows = [dict(zip(names, row, strict=True)) for row in table.rows]
    return {**spec, "data": {"name": "result", "values": rows}}


_CONFIG: Spec = {
    "font": FONT,
    "background": "white",
    "view": {"stroke": None},
    "range": {"category": list(PALETTE)},
    "axis": {
        "labelColor": "#52525b",
        "titleColor": "#3f3f46",
        "gridColor": "#ececef",
        "domainColor": "#c7c7cf",
        "tickColor": "#c7c7cf",
        "labelFontSize": 11,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 240,
    },
    "legend": {"labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal", "orient": "top"},
}


def _per_unit(measures: list[ColumnMeaning], draw: Any) -> Spec:
    """One panel for each unit: dollars and rates cannot share an axis."""
    groups: dict[str, list[ColumnMeaning]] = {}
    for measure in measures:
        groups.setdefault(measure.unit, []).append(measure)
    panels = [draw(group) for group in groups.values()]
    return panels[0] if len(panels) == 1 else {"vconcat": panels}


def _axis(measures: list[ColumnMeaning], **more: Any) -> Spec:
    title = measures[0].label if len(measures) == 1 else None
    unit = measures[0].unit
    suffix = {"ms": " (ms)", "days": ""}.get(unit, "")
    return {
        "type": "quantitative",
        "title": f"{title}{suffix}" if title else None,
        "axis": {"format": _FORMATS.get(unit, ",.2~f")},
        **more,
    }


def _folded(measures: list[ColumnMeaning]) -> tuple[list[Spec], str, Spec | None]:
    """Several measures of one unit as one: (transform, value field, colour)."""
    if len(measures) == 1:
        return [], measures[0].name, None
    labels = {measure.name: measure.label for measure in measures}
    names = [measure.name for measure in measures]
    look_up = "{" + ", ".join(f"'{name}': '{_quoted(label)}'" for name, label in labels.items()) + "}"
    transform: list[Spec] = [
        {"fold": names, "as": ["measure", "value"]},
        {"calculate": f"{look_up}[datum.measure]", "as": "measure_label"},
    ]
    return (
        transform,
        "value",
        {"field": "measure_label", "type": "nominal", "title": None, "sort": list(labels.values())},
    )


def _line(
    table: Table, time: ColumnMeaning, categories: list[ColumnMeaning], measures: list[ColumnMeaning]
) -> Spec:
    transform, value, colour = _folded(measures)
    few = len(table.rows) <= 60
    encoding: Spec = {
        "x": {"field": time.name, "type": "temporal", "title": time.label, "axis": _time_axis(table, time)},
        "y": {"field": value, **_axis(measures)},
        "tooltip": [{"field": time.name, "type": "temporal"}, {"field": value, "type": "quantitative"}],
    }
    if categories:
        encoding["color"] = _colour(table, categories[0])
        if colour:
            encoding["strokeDash"] = colour
    elif colour:
        encoding["color"] = colour
    return {
        "transform": transform,
        "mark": {"type": "line", "point": few, "interpolate": "monotone", "color": PALETTE[0]},
        "width": 640,
        "height": 300,
        "encoding": encoding,
    }


def _colour(table: Table, column: ColumnMeaning) -> Spec:
    """A category as colour; beyond the palette's own colours, a scheme with twenty."""
    many = len(set(table.values(column))) > len(PALETTE)
    spec: Spec = {"field": column.name, "type": "nominal", "title": column.label}
    return {**spec, "scale": {"scheme": "tableau20"}} if many else spec


def _time_axis(table: Table, time: ColumnMeaning) -> Spec:
    formats = {"year": "%Y", "quarter": "%Y-%m", "month": "%Y-%m", "week": "%m-%d", "day": "%m-%d"}
    axis: Spec = {"format": formats.get(time.grain, "%m-%d %H:%M"), "labelAngle": 0, "grid": False}
    distinct = sorted({str(value) for value in table.values(time) if value is not None})
    if len(distinct) <= 12:
        axis["values"] = distinct
    return axis


def _bars(table: Table, categories: list[ColumnMeaning], measures: list[ColumnMeaning]) -> Spec:
    transform, value, colour = _folded(measures)
    # The eye tells few colours apart: the dimension with more values goes on the axis.
    categories = sorted(categories[:2], key=lambda column: -len(set(table.values(column))))
    category = categories[0]
    distinct = list(dict.fromkeys(str(value) for value in table.values(category)))
    encoding: Spec = {
        "y": {
            "field": category.name,
            "type": "nominal",
            "title": category.label,
            "sort": distinct[:_MOST_BARS],
            "axis": {"titlePadding": 12, "maxExtent": 300},
        },
        "x": {"field": value, **_axis(measures)},
        "tooltip": [{"field": category.name}, {"field": value, "type": "quantitative"}],
    }
    if len(distinct) > _MOST_BARS:
        transform = [{"filter": {"field": category.name, "oneOf": distinct[:_MOST_BARS]}}, *transform]
    second = _colour(table, categories[1]) if len(categories) > 1 else colour
    if second:
        encoding |= {"color": second, "yOffset": {"field": second["field"]}}
    series = (
        len({row[table.index(categories[1].name)] for row in table.rows})
        if len(categories) > 1
        else len(measures)
    )
    step = max(12, 26 // max(1, series))
    return {
        "transform": transform,
        "mark": {"type": "bar", "cornerRadiusEnd": 3, "color": PALETTE[0]},
        "width": 560,
        "height": {"step": step},
        "encoding": encoding,
    }


def _comparison(table: Table, categories: list[ColumnMeaning]) -> Spec:
    names = {column.name: column for column in table.columns}
    metric = next(column for column in table.columns if f"{column.name}_previous" in names)
    pair = [names[f"{metric.name}_previous"], metric]
    if categories:
        spec = _bars(table, categories[:1], pair)
        spec["encoding"]["color"]["scale"] = {"range": [MUTED, PALETTE[0]]}
        return spec
    transform, value, colour = _folded(pair)
    order = [pair[0].label, pair[1].label]
    return {
        "transform": transform,
        "mark": {"type": "bar", "cornerRadiusEnd": 3, "size": 56},
        "width": 320,
        "height": 260,
        "encoding": {
            "x": {
                "field": "measure_label",
                "type": "nominal",
                "title": None,
                "sort": order,
                "axis": {"labelAngle": 0},
            },
            "y": {"field": value, **_axis([metric])},
            "color": {**(colour or {}), "legend": None, "scale": {"range": [MUTED, PALETTE[0]]}},
        },
    }


def _cards(table: Table, measures: list[ColumnMeaning], of: str = "") -> Spec:
    """The first row's figures; `of` says what they are the figures of when all rows are alike."""
    cards = [
        _text(
            show(table.rows[0][table.index(measure.name)], measure),
            f"{measure.label} ({of})" if of else measure.label,
        )
        for measure in measures
    ]
    return cards[0] if len(cards) == 1 else {"hconcat": cards}


def _text(value: str, label: str = "") -> Spec:
    """A big-number card."""
    number: Spec = {
        "mark": {"type": "text", "fontSize": 44, "fontWeight": 600, "color": PALETTE[0], "font": FONT},
        "encoding": {"text": {"value": value}},
    }
    caption: Spec = {
        "mark": {"type": "text", "fontSize": 14, "dy": 44, "color": "#52525b", "font": FONT},
        "encoding": {"text": {"value": label}},
    }
    # One row is enough to draw the number once, whatever the result holds.
    once = [{"aggregate": [{"op": "count", "as": "rows"}]}]
    return {"transform": once, "width": 300, "height": 140, "layer": [number, caption] if label else [number]}


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _wrapped(title: str, width: int = 68) -> list[str]:
    """A long title in lines; a Chinese character is two wide."""
    lines, line, size = [], "", 0
    for word in _pieces(title):
        length = sum(2 if ord(char) > 0x2E80 else 1 for char in word)
        if size + length > width and line:
            lines.append(line.strip())
            line, size = "", 0
        line, size = line + word, size + length
    return [*lines, line.strip()] if line.strip() else lines


def _pieces(text: str) -> list[str]:
    return re.findall(r"[^\s\u2e80-\uffff]+\s*|[\u2e80-\uffff]|\s+", text)
