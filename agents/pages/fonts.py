"""Chinese in pages and SVG for readers whose machine has no font for it: the characters used travel along."""

from __future__ import annotations

import base64
import io
import re
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

FAMILY = "Noto Sans CJK TC"
_IDEOGRAPHS = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")
_LAYOUT_TABLES = ["BASE", "DSIG", "GDEF", "GPOS", "GSUB", "VORG", "vhea", "vmtx"]


def folder() -> Path | None:
    """Where the font lies, or None when its package is not installed."""
    package = find_spec("cvttf_NotoSansCJK_Regular")
    places = package.submodule_search_locations if package else None
    return Path(next(iter(places))) if places else None


def face(text: str) -> str:
    """A CSS @font-face rule with the glyphs of the text's Chinese characters, about 130 bytes each; empty
    when it has none.
    """
    return _face("".join(sorted(set(_IDEOGRAPHS.findall(text)))))


def into_svg(svg: str, rule: str) -> str:
    """The SVG with the rule in it, so that it shows its text wherever it is opened alone."""
    return re.sub(r"(<svg\b[^>]*>)", rf"\1<style>{rule}</style>", svg, count=1) if rule else svg


def into_page(page: str, rule: str) -> str:
    """The page with the rule at its head's beginning: scripts in it may hold the end tag as text."""
    return page.replace("<head>", f"<head><style>{rule}</style>", 1) if rule else page


@lru_cache(maxsize=64)
def _face(characters: str) -> str:
    found = folder()
    if not characters or found is None:
        return ""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    options = subset.Options(layout_features=[], hinting=False, name_IDs=[1, 2])
    options.drop_tables += _LAYOUT_TABLES
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=characters)
    with TTFont(next(found.glob("*.otf")), lazy=True) as font:
        subsetter.subset(font)
        font.flavor = "woff"
        small = io.BytesIO()
        font.save(small)
    data = base64.b64encode(small.getvalue()).decode()
    return f'@font-face{{font-family:"{FAMILY}";src:url(data:font/woff;base64,{data}) format("woff")}}'
