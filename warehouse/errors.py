"""The one exception tree of all rooms: permanent and transient are told apart at the root.

A caller that retries (an Airflow task, the loader) needs to know one thing first: would the same call work a
little later? `TransientError` says yes; `PermanentError` says that something must change before it can. A
message says what happened, to which thing, why, and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence


class TidemarkError(Exception):
    """Anything that a room raises on purpose; its text is fit to be shown to a person as it is."""


class PermanentError(TidemarkError):
    """The same call will fail again."""


class TransientError(TidemarkError):
    """The same call may work a little later."""


class SettingsError(PermanentError):
    """A setting cannot be used as it is, such as a URL of an unknown scheme."""


class UnreachableError(TransientError):
    """The server did not answer."""


class OverloadedError(TransientError):
    """The server answered that it cannot take this now (too many queries, memory, a part that moves)."""


class CancelledError(TransientError):
    """Somebody ended the statement, or the server went down under it. Not begun again without being asked."""


class QueryError(PermanentError):
    """The server refused the statement. `code` is the server's own number, when it gave one."""

    def __init__(self, message: str, *, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class LimitExceededError(QueryError):
    """The statement went past a cap on rows, bytes, memory, time or money."""


class RowsRefusedError(QueryError):
    """A value of an insert cannot be in its column; nothing of the insert is in the table."""


class AccessDeniedError(QueryError):
    """The user may not do this: a wrong password, or a write by the reader."""


class GuardError(PermanentError):
    """The SQL guard refused a statement. `code` is a stable word, `remedy` says what to write instead."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(f"{message} {remedy}")
        self.code = code
        self.remedy = remedy


class CatalogueError(PermanentError):
    """dbt's manifest is missing or cannot be read."""


class SemanticError(PermanentError):
    """The semantic layer cannot be loaded, or cannot turn this query into SQL."""


class _UnknownNameError(SemanticError):
    """A name that the semantic layer does not know, with the nearest ones that it does."""

    kind = "name"

    def __init__(self, name: str, nearest: Sequence[str]) -> None:
        hint = f" Nearest: {', '.join(nearest)}." if nearest else ""
        super().__init__(f"There is no {self.kind} {name!r} in the semantic layer.{hint}")
        self.name = name
        self.nearest = tuple(nearest)


class UnknownMetricError(_UnknownNameError):
    """No metric has this name."""

    kind = "metric"


class UnknownDimensionError(_UnknownNameError):
    """No dimension has this name, or none that all the metrics of the query share."""

    kind = "dimension"
