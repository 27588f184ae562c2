"""What a provider's failure means: whether to ask again, when, and whether the provider itself is out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

# Asked too soon, or the provider's own trouble: the same request may go through later.
_AGAIN = {408, 409, 425, 429, *range(500, 600)}
# Whatever is asked, this key or this model cannot be used.
_REFUSED = {401, 402, 403, 404}


@dataclass(frozen=True)
class Failure:
    """`again`: the same request may go through, after `wait_s` if the provider named a time. `out`: other
    requests would fail as well. What is not known to be either concerns its own request alone.
    """

    again: bool = False
    out: bool = False
    wait_s: float = 0.0


def judge(error: BaseException) -> Failure:
    """By the HTTP status that any provider's package puts on its errors, or by the fault on the way."""
    for cause in _causes(error):
        status = _status(cause)
        if status is not None:
            again = status in _AGAIN
            return Failure(again, out=again or status in _REFUSED, wait_s=_wait(cause) if again else 0.0)
    for cause in _causes(error):
        if isinstance(cause, ConnectionError | TimeoutError | httpx.TransportError | json.JSONDecodeError):
            return Failure(again=True, out=True)
    return Failure()


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _status(error: BaseException) -> int | None:
    response = getattr(error, "response", None)
    for status in (getattr(error, "status_code", None), getattr(response, "status_code", None)):
        if isinstance(status, int):
            return status
    return None


def _wait(error: BaseException) -> float:
    """Seconds that the answer's Retry-After asks for: a number or an HTTP date; 0 when it says nothing."""
    headers: Any = getattr(getattr(error, "response", None), "headers", None) or {}
    text = str(headers.get("retry-after") or "").strip()
    try:
        return min(max(0.0, float(text)), 86_400.0)
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
