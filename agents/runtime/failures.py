"""What a provider's failure means: whether to ask again, when, and whether the provider itself is out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from langchain_core import exceptions as langchain

# Asked too soon, or the provider's own trouble: the same request may go through later.
_AGAIN = {408, 409, 425, 429, *range(500, 600)}
# Whatever is asked, this key or this model cannot be used.
_REFUSED = {401, 402, 403, 404}
_REFUSALS = (
    langchain.ModelAuthenticationError,
    langchain.ModelPermissionDeniedError,
    langchain.ModelNotFoundError,
)
_ON_THE_WAY = (ConnectionError, TimeoutError, httpx.TransportError, json.JSONDecodeError)


@dataclass(frozen=True)
class Failure:
    """`again`: the same request may go through, after `wait_s` if the provider named a time. `out`: other
    requests would fail as well. What is not known to be either concerns its own request alone.
    """

    again: bool = False
    out: bool = False
    wait_s: float = 0.0


def judge(error: BaseException) -> Failure:
    """By LangChain's own names of failures where the provider's package uses them, else by the HTTP status
    that it puts on its errors, else by the fault on the way.
    """
    causes = list(_causes(error))
    wait = next(filter(None, map(_wait, causes)), 0.0)
    for cause in causes:
        if isinstance(cause, langchain.ModelError):
            return Failure(cause.is_retryable, cause.is_retryable or isinstance(cause, _REFUSALS), wait)
    for status in filter(None, map(_status, causes)):
        return Failure(status in _AGAIN, status in _AGAIN or status in _REFUSED, wait)
    away = any(isinstance(cause, _ON_THE_WAY) for cause in causes)
    return Failure(again=away, out=away)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _status(error: BaseException) -> int | None:
    """The status of the refusal; an answer that could not be read has one too, of a success."""
    response = getattr(error, "response", None)
    for status in (getattr(error, "status_code", None), getattr(response, "status_code", None)):
        if isinstance(status, int) and status >= 400:
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
