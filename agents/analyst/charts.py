"""Which chart fits a result: a Vega-Lite spec by the data's shape, without the data itself."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from agents.analyst import units
from agents.analyst.saying.table import Cell, ColumnMeaning, Table, show

Spec = dict[str, Any]

# A family that does not exist blanks all text in silence, so the list always ends with sans-serif.
FONT = "Noto Sans CJK TC, Noto Sans, Helvetica, Arial, sans-serif"
PALETTE = ("#2563a8", "#d97706", "#0f766e", "#b4416b", "#6d5bd0", "#65822b", "#0e7490", "#a8552a")
MUTED = "#b4c0d0"
_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_MOST_BARS = 30
_MOST_COLOURS = 20


def choose(table: Table, title: str, notes: Sequence[str] = ()) -> Spec:
    """A spec for the table: card, line, bar, grouped bars or grid; its data is named `result`. `notes` stand
    under the title: what the figures are not.
    """
    measures, times, categories = table.of_role("measure"), table.of_role("time"), table.of_role("category")
    notes = [*notes]
    if not table.rows or not measures:
        body = _text("–")
    elif table.empty and categories and not times:
        body = _cards(table, measures, f"{categories[0].label} × {len(table.rows)}")
    elif table.compared:
        body = _comparison(table, [*times, *categories], notes)
    elif times and len(table.rows) > 1 and not table.ranked and table.extent != "selected":
        split = [*times[1:], *categories]
        body = _per_unit(measures, lambda group: _line(table, times[0], split, group, notes))
    elif categories or (times and len(table.rows) > 1):
        body = _per_unit(measures, lambda group: _bars(table, [*times, *categories], group, notes))
    else:
        body = _cards(
            table, measures, show(table.rows[0][table.index(times[0].name)], times[0]) if times else ""
        )
    under: Spec = {"subtitle": list(dict.fromkeys(notes)), "subtitleColor": "#52525b"} if notes else {}
    return {
        "$schema": _SCHEMA,
        "title": {"text": _wrapped(title), "anchor": "start", "fontSize": 15, "offset": 14, **under},
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
    unit = units.unit(measures[0].unit)
    suffix = f" ({unit.axis_label})" if unit.axis_label else ""
    return {
        "type": "quantitative",
        "title": f"{title}{suffix}" if title else None,
        "axis": {"format": unit.axis},
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
    table: Table,
    time: ColumnMeaning,
    categories: list[ColumnMeaning],
    measures: list[ColumnMeaning],
    notes: list[str],
) -> Spec:
    transform, value, colour = _folded(measures)
    few = len(table.rows) <= 60
    encoding: Spec = {
        "x": {"field": time.name, "type": "temporal", "title": time.label, "axis": _time_axis(table, time)},
        "y": {"field": value, **_axis(measures)},
        "tooltip": [{"field": time.name, "type": "temporal"}, {"field": value, "type": "quantitative"}],
    }
    if categories:
        encoding["color"] = _colour(table, categories, transform, notes)
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


def _colour(table: Table, columns: list[ColumnMeaning], transform: list[Spec], notes: list[str]) -> Spec:
    """Categories as colour, several of them as one; beyond the palette's own colours, a scheme with twenty,
    and no more than it has.
    """
    field, values = _one_field(table, columns, transform)
    spec: Spec = {"field": field, "type": "nominal", "title": _title(columns)}
    if len(values) > _MOST_COLOURS:
        notes.append(f"{_title(columns)}: {_MOST_COLOURS} / {len(values)}")
        transform.append({"filter": {"field": field, "oneOf": values[:_MOST_COLOURS]}})
    return {**spec, "scale": {"scheme": "tableau20"}} if len(values) > len(PALETTE) else spec


def _title(columns: list[ColumnMeaning]) -> str:
    return " · ".join(column.label for column in columns)


def _one_field(table: Table, columns: list[ColumnMeaning], transform: list[Spec]) -> tuple[str, list[str]]:
    """The field that tells these columns' values apart, and its values in the order of the rows: the column
    itself where it is one category that is always known, else one that is computed, with times and weekdays
    as people read them.
    """
    positions = [table.index(column.name) for column in columns]
    cells = list(dict.fromkeys(table.values(columns[0])))
    if len(columns) == 1 and columns[0].role == "category" and not columns[0].values and None not in cells:
        return columns[0].name, [str(value) for value in cells]
    labels = {
        tuple(row[position] for position in positions): " · ".join(
            show(row[position], column) for position, column in zip(positions, columns, strict=True)
        )
        for row in table.rows
    }
    name = "_".join(column.name for column in columns) + "_label"
    keys = " + '|' + ".join(f"datum['{column.name}']" for column in columns)
    pairs = ", ".join(
        f"'{_quoted('|'.join(map(_as_script, values)))}': '{_quoted(label)}'"
        for values, label in labels.items()
    )
    transform.append({"calculate": f"{{{pairs}}}['' + {keys}]", "as": name})
    return name, list(dict.fromkeys(labels.values()))


def _as_script(value: Cell) -> str:
    """A cell as the chart's expressions turn it into text."""
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)


def _time_axis(table: Table, time: ColumnMeaning) -> Spec:
    formats = {"year": "%Y", "quarter": "%Y-%m", "month": "%Y-%m", "week": "%m-%d", "day": "%m-%d"}
    axis: Spec = {"format": formats.get(time.grain, "%m-%d %H:%M"), "labelAngle": 0, "grid": False}
    distinct = sorted({str(value) for value in table.values(time) if value is not None})
    if len(distinct) <= 12:
        axis["values"] = distinct
    return axis


def _bars(
    table: Table, categories: list[ColumnMeaning], measures: list[ColumnMeaning], notes: list[str]
) -> Spec:
    transform, value, colour = _folded(measures)
    # The eye tells few colours apart: the dimension with more values goes on the axis, and all of them where
    # the colours tell the measures.
    categories = sorted(categories, key=lambda column: -len(set(table.values(column))))
    axis, others = (categories, []) if colour else (categories[:1], categories[1:])
    named: list[Spec] = []
    field, values = _one_field(table, axis, named)
    if len(values) > _MOST_BARS:
        notes.append(f"{_title(axis)}: {_MOST_BARS} / {len(values)}")
        values = values[:_MOST_BARS]
        named.append({"filter": {"field": field, "oneOf": values}})
    encoding: Spec = {
        "y": {
            "field": field,
            "type": "nominal",
            "title": _title(axis),
            "sort": values,
            "axis": {"titlePadding": 12, "maxExtent": 300},
        },
        "x": {"field": value, **_axis(measures)},
        "tooltip": [{"field": field}, {"field": value, "type": "quantitative"}],
    }
    second = _colour(table, others, named, notes) if others else colour
    if second:
        encoding |= {"color": second, "yOffset": {"field": second["field"]}}
    positions = [table.index(column.name) for column in others]
    series = len({tuple(row[position] for position in positions) for row in table.rows}) * len(measures)
    step = max(12, 26 // max(1, series))
    return {
        "transform": [*named, *transform],
        "mark": {"type": "bar", "cornerRadiusEnd": 3, "color": PALETTE[0]},
        "width": 560,
        "height": {"step": step},
        "encoding": encoding,
    }


def _comparison(table: Table, categories: list[ColumnMeaning], notes: list[str]) -> Spec:
    metric, before = next(
        (column, before) for column in table.columns if (before := table.part(column, "before"))
    )
    pair = [before, metric]
    if categories:
        spec = _bars(table, categories, pair, notes)
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
