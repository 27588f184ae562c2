"""On whose behalf a query is asked, which an engine that can keeps with the query for the bill's reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_LABELS: ContextVar[Mapping[str, str]] = ContextVar("warehouse_labels", default=MappingProxyType({}))


@contextmanager
def labelled(**labels: str) -> Iterator[None]:
    """Within it, this context's queries carry these labels, such as `agent`, `run` and `stage`, too."""
    before = _LABELS.set({**_LABELS.get(), **labels})
    try:
        yield
    finally:
        _LABELS.reset(before)


def current_labels() -> Mapping[str, str]:
    """The labels of this context; those that are empty are left out."""
    return {name: value for name, value in _LABELS.get().items() if value}
