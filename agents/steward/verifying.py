"""Whether a statement is carried by what it cites: its rows are there, its figures and days in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from agents.steward.case import Evidence, Finding
from agents.steward.wording import FAULTS, Language, Statement

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_CODE = re.compile(r"`[^`]*`")


def fault_in(
    statement: Statement, evidence: Mapping[str, Evidence], findings: Iterable[Finding], language: Language
) -> str:
    """Why the evidence does not carry a statement; empty when it does.

    Names in code marks are names. A fault may be named only where the signs have been read as that fault, and
    only from the rows that show it.
    """
    if not statement.cites:
        return "it cites no row"
    cells: list[Any] = []
    for cite in statement.cites:
        cited = evidence.get(cite.evidence)
        if cited is None or not 0 <= cite.row < len(cited.rows):
            return f"row {cite.row} of {cite.evidence!r} is not there"
        cells += cited.rows[cite.row]
    text = _CODE.sub(" ", statement.text)
    days = {str(cell)[:10] for cell in cells if isinstance(cell, (date, datetime, str))}
    for found in _DATE.findall(text):
        if found not in days:
            return f"{found} is in none of the rows that it cites"
    numbers = [float(cell) for cell in cells if isinstance(cell, (int, float)) and not isinstance(cell, bool)]
    for found in _NUMBER.findall(_DATE.sub(" ", text)):
        if not any(_same(found, number) for number in numbers):
            return f"{found} is in none of the rows that it cites"
    named = {fault for fault, word in FAULTS[language].items() if word in text.lower()}
    if statement.fault:
        named.add(statement.fault)
    for fault in named:
        if not any(
            f.fault == fault and {c for s in f.signs for c in s.cites} & set(statement.cites)
            for f in findings
        ):
            return f"the signs that it cites are not those of {fault!r}"
    return ""


def _same(written: str, number: float) -> bool:
    value = float(written.replace(",", ""))
    places = len(written.partition(".")[2])
    return abs(abs(value) - abs(number)) <= max(
        0.5 * 10**-places if places else 0.0, 1e-3 * abs(number), 1e-9
    )
