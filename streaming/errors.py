"""What only this room can say went wrong; the rest are the roots of `warehouse.errors` themselves."""

from __future__ import annotations

from warehouse.errors import PermanentError


class SpoolFull(PermanentError):
    """The spool is at its limit, or its disk is full, while Kafka is away; `kept` messages were kept."""

    def __init__(self, message: str, kept: int) -> None:
        super().__init__(message)
        self.kept = kept


class SourceFileError(PermanentError):
    """A file to replay is missing, unreadable or in no format that replay knows."""
