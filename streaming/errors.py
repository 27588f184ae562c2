"""The room's one exception tree: what is permanent, and what passes when the other side comes back."""


class StreamingError(Exception):
    """Root; the message says what happened, to which thing, and what to do."""


class PermanentError(StreamingError):
    """Trying again changes nothing: a setting, a file or a schema must be mended."""


class TransientError(StreamingError):
    """Kafka or the warehouse is away; the same call works when it is back."""


class SpoolFull(PermanentError):
    """The spool is at its limit, or its disk is full, while Kafka is away; `kept` messages were kept."""

    def __init__(self, message: str, kept: int) -> None:
        super().__init__(message)
        self.kept = kept


class SourceFileError(PermanentError):
    """A file to replay is missing, unreadable or in no format that replay knows."""
