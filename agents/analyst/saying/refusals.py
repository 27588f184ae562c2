"""Why there is no answer, in the asker's language."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from agents.analyst.grammar.reader import NotUnderstood
from agents.analyst.saying.names import Names, inside
from agents.analyst.saying.texts import say

_BETWEEN = "|"


def refused(reason: NotUnderstood, names: Names, language: str) -> str:
    """A sentence for each reason that refusals.yml knows; all others are not put together."""
    joint = say("join", language)
    said = [_said(value, names, language) for value in (*reason.values, *reason.unknown)]
    text = (_texts().get(reason.reason) or _texts()["not_put_together"])[language]
    filled = said + [""] * 3
    return text.format(*filled, rest=joint.join(said[1:]), all=joint.join(said))


def _said(value: str, names: Names, language: str) -> str:
    """Names of the project by their labels, `a|b` by those of each; other words as they are."""
    known = (names.semantic.metrics, names.semantic.dimensions, names.semantic.entities)
    parts = value.split(_BETWEEN)
    if not all(any(part in one for one in known) for part in parts):
        return value
    said = dict.fromkeys(inside(names.phrase(part, language)) for part in parts)
    return say("or", language).join(said)


@cache
def _texts() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = yaml.safe_load(
        Path(__file__).with_name("refusals.yml").read_text(encoding="utf-8")
    )
    return found
