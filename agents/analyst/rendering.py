"""A Vega-Lite spec as SVG, PNG and a page that works offline; Chinese text has its font with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from agents.pages import fonts
from agents.runtime.errors import ToolError

_DRAW = "vegaEmbed('#vega-chart', spec, "


def validate(spec: Mapping[str, Any]) -> None:
    """Raise ToolError when the spec is not valid Vega-Lite, by altair's copy of the schema."""
    import altair

    try:
        altair.Chart.from_dict(dict(spec), validate=True)
    except Exception as error:
        reason = " ".join(str(error).split())[:600]
        raise ToolError(f"the chart is not valid Vega-Lite: {reason}") from error


def svg(spec: Mapping[str, Any]) -> str:
    """The chart as SVG text. Raises ToolError when it cannot be drawn."""
    try:
        return str(_converter().vegalite_to_svg(json.dumps(spec), allowed_base_urls=[]))
    except ValueError as error:
        raise ToolError(f"the chart cannot be drawn: {error}") from error


def png(spec: Mapping[str, Any]) -> bytes:
    """The chart as PNG at twice its size in pixels."""
    return bytes(_converter().vegalite_to_png(json.dumps(spec), scale=2, allowed_base_urls=[]))


def html(spec: Mapping[str, Any], font_face: str) -> str:
    """The chart as one page with Vega inside, about 0.9 MB. Vega measures its text while it draws, so it
    must not begin before the page's own font is there.
    """
    page = str(_converter().vegalite_to_html(json.dumps(spec), bundle=True))
    if font_face:
        ready = f"document.fonts.load('12px \"{fonts.FAMILY}\"')"
        page = page.replace(f"{_DRAW}opts)", f"{ready}.then(() => {_DRAW}opts))", 1)
    return fonts.into_page(page, font_face)


@lru_cache(maxsize=1)
def _converter() -> Any:
    """vl-convert with the Chinese font known to it."""
    import vl_convert

    found = fonts.folder()
    if found:
        vl_convert.register_font_directory(str(found))
    return vl_convert
