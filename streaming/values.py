"""Makes any Python value one that its column can hold: a bad value costs itself, never its record."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from datetime import datetime
from typing import Any

import orjson

from streaming.records import EVENT, RECORDS, Field, Record, iso

# The attribute (of an event: the key in its detail) that says what was changed in a record.
MENDED = "tidemark.mended"
# Deeper, or more of it, is no detail of a run any more; this also ends what contains itself.
_DEPTH, _NODES = 32, 10_000
_SAID, _NOTES = 120, 8
_NAME = min(field.limit for record in RECORDS.values() for field in record.fields if field.limit)
_WHOLE = range(-(2**63), 2**63)


def fit(contract: Record, record: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The record's fields as their columns hold them, and a note for each value that had to be changed.

    A number that its column cannot hold becomes null, a lone surrogate the replacement character, a long
    name is cut (one that identifies is not: the stream refuses it). The notes also go with the record.
    Fields that the contract does not know are left out.
    """
    notes: list[str] = []
    fitted = {}
    for field in contract.fields:
        value = record.get(field.name)
        # Almost every value is a short text of plain characters; the rest is looked at.
        plain = type(value) is str and field.type == "text" and len(value) <= _NAME and value.isascii()
        fitted[field.name] = value if plain else _fitted(field, value, notes)
    if notes:
        _leave_note(contract, fitted, "; ".join(notes[:_NOTES]))
    return fitted, notes


def as_text(value: Any) -> str:
    """Any value as clean text; what is no text as JSON, None as ''. Raises nothing, whatever it does."""
    if value is None:
        return ""
    if type(value) is str and value.isascii():
        return value
    made = _plain(value, [_NODES], 0)
    return made if isinstance(made, str) else orjson.dumps(made).decode()


def clean(text: str) -> str:
    """The text as UTF-8 can carry it: halves of one character joined, lone ones replaced."""
    if str.isascii(text):
        return text
    try:
        str.encode(text)
    except UnicodeEncodeError:
        return str.encode(text, "utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _fitted(field: Field, value: Any, notes: list[str]) -> Any:
    if field.type == "text":
        return _text(field, value, notes)
    if value is None:
        return None
    if field.type == "map":
        return _map(field, value, notes)
    try:
        return _time(value) if field.type == "time" else _number(field, value)
    except BaseException as error:
        why = str(error) if isinstance(error, _Unfit) else f"cannot be read ({type(error).__name__})"
        notes.append(f"{field.name} {_said(value)[:_SAID]} {why}: null")
        return None


class _Unfit(ValueError):
    """Why a value cannot be in its column."""


def _text(field: Field, value: Any, notes: list[str]) -> str:
    text = as_text(value)
    if isinstance(value, str) and text != value:
        notes.append(f"{field.name} held half characters")
    if field.limit and len(text) > field.limit and not field.required:
        notes.append(f"{field.name} was cut from {len(text)} to {field.limit} characters")
        text = text[: field.limit]
    return text


def _map(field: Field, value: Any, notes: list[str]) -> dict[str, str]:
    if not isinstance(value, Mapping):
        notes.append(f"{field.name} is not an object: left out")
        return {}
    made = {}
    for key, item in value.items():
        name = as_text(key)
        made[name] = as_text(item)
        if name != key or (isinstance(item, str) and made[name] != item):
            notes.append(f"{field.name}[{name[:_SAID]}] held half characters or a key that is no text")
    return made


def _time(value: Any) -> str:
    return iso(value) if isinstance(value, datetime) else as_text(value)


def _number(field: Field, value: Any) -> int | float:
    if isinstance(value, bool):
        raise _Unfit("is no number")
    if field.type == "double":
        real = float(value)
        if not math.isfinite(real):
            raise _Unfit("is not finite")
        return real
    if isinstance(value, int | str) or float(value).is_integer():
        whole = int(value)
    else:
        raise _Unfit("is not a whole number")
    if whole not in _WHOLE:
        raise _Unfit("is beyond 64 bits")
    return whole


def _plain(value: Any, room: list[int], depth: int) -> Any:
    """What orjson can write of a value; `room` counts down the nodes that may still come."""
    room[0] -= 1
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, int):
        return int(value) if value in _WHOLE else _said(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "replace")
    if room[0] < 0 or depth > _DEPTH:
        return "…"
    try:
        if isinstance(value, datetime):
            return iso(value)
        if isinstance(value, Mapping):
            pairs = ((k, _plain(v, room, depth + 1)) for k, v in value.items() if room[0] > 0)
            return {as_text(key): made for key, made in pairs}
        if isinstance(value, list | tuple | Set):
            return [_plain(item, room, depth + 1) for item in value if room[0] > 0]
    except BaseException as error:
        return _unreadable(value, error)
    return _said(value)


def _said(value: Any) -> str:
    try:
        return clean(str(value))
    except BaseException as error:  # its own code may even want to end the process
        return _unreadable(value, error)


def _unreadable(value: Any, error: BaseException) -> str:
    return f"<{type(value).__name__} that cannot be read: {type(error).__name__}>"


def _leave_note(contract: Record, fitted: dict[str, Any], note: str) -> None:
    if contract is EVENT:
        detail = fitted["detail"]
        if detail.startswith('{"') and detail.endswith("}"):
            fitted["detail"] = (
                f"{detail[:-1]},{orjson.dumps(MENDED).decode()}:{orjson.dumps(note).decode()}}}"
            )
        elif detail in ("", "{}"):
            fitted["detail"] = orjson.dumps({MENDED: note}).decode()
    elif any(field.name == "attributes" for field in contract.fields):
        fitted["attributes"] = (fitted["attributes"] or {}) | {MENDED: note}
