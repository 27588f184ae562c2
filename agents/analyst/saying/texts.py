"""The texts of notes.yml, with their values."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml


def say(key: str, language: str, *values: str) -> str:
    return _texts()[key][language].format(*values)


def grains(grain: str, language: str) -> str:
    """The periods of a grain: months, 月份."""
    names: dict[str, str] = _texts()["grains"][language]  # type: ignore[assignment]
    return names.get(grain, names[""])


@cache
def _texts() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = yaml.safe_load(
        Path(__file__).with_name("notes.yml").read_text(encoding="utf-8")
    )
    return found
