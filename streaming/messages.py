"""Makes Kafka messages: of records, and of dead letters for what cannot be sent as it is."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from streaming.records import DEAD_LETTER, RECORDS
from streaming.spool import Message
from streaming.topics import DERIVED_LIMIT_BYTES, RECORD_LIMIT_BYTES
from streaming.values import as_text, fit

# Caps that are tried in turn on a record's content before the record is refused as too large.
_CAPS = (65_536, 4_096)
_CONTENT = ("input", "output", "detail", "error")
_KEPT_OF_REFUSED = 65_536


def truncate(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, whole characters, with the original size said at the end."""
    data = text.encode("utf-8", "replace")
    if len(data) <= limit:
        return text
    return f"{data[:limit].decode('utf-8', 'ignore')}… [{len(data)} bytes]"


def to_message(kind: str, record: Mapping[str, Any]) -> tuple[Message, list[str]]:
    """The Kafka message of a record, and a note for each of its values that had to be changed for it.

    A record over 1 MB loses the tails of its content fields; if it is still over, the message is a dead
    letter with the reason, the size and the first 64 KiB, for the broker would refuse the whole.
    """
    contract = RECORDS[kind]
    fitted, notes = fit(contract, record)
    key = (fitted[contract.key] or "").encode()
    limit = DERIVED_LIMIT_BYTES if contract is DEAD_LETTER else RECORD_LIMIT_BYTES
    whole = value = orjson.dumps(fitted)
    for cap in _CAPS:
        if len(value) + len(key) <= limit:
            break
        value = orjson.dumps({k: truncate(v, cap) if k in _CONTENT else v for k, v in fitted.items()})
    if len(value) + len(key) <= limit:
        return Message(contract.topic, key, value), notes
    reason = (
        f"record of {len(whole)} bytes is over {limit}; the payload is its first {_KEPT_OF_REFUSED} bytes"
    )
    return dead_letter(contract.topic, reason, key, whole), notes


def unmakeable(kind: str, given: object, error: BaseException) -> Message:
    """The dead letter of what could not be made a record at all, with what can be read of it."""
    reason = f"could not be made a record ({type(error).__name__}: {as_text(error)[:500]})"
    return dead_letter(
        RECORDS[kind].topic if kind in RECORDS else kind, reason, payload=as_text(given).encode()
    )


def dead_letter(topic: str, reason: str, key: bytes = b"", payload: bytes = b"") -> Message:
    """A producer's dead letter: of something that never got a position in its topic."""
    letter = {
        "source_topic": topic,
        "source_partition": -1,
        "source_offset": -1,
        "reason": reason,
        "key": key.decode("utf-8", "replace")[:1024],
        "payload": base64.b64encode(payload[:_KEPT_OF_REFUSED]).decode(),
        "refused_at": datetime.now(UTC),
    }
    return Message(DEAD_LETTER.topic, topic.encode(), orjson.dumps(fit(DEAD_LETTER, letter)[0]))
