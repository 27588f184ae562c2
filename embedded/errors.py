"""What can go wrong with the one-machine stack, each with one line that says what, why and what to do."""

from __future__ import annotations

from warehouse.errors import TidemarkError


class EmbeddedError(TidemarkError):
    """Root of the room's errors; its text is fit to be shown to a person as it is."""


class JarError(EmbeddedError):
    """A jar is missing, was changed, or could not be fetched."""


class PortTaken(EmbeddedError):
    """Another process listens on a port that a service needs."""


class StateFolderError(EmbeddedError):
    """The state folder cannot be written to or its disk is full."""


class ServiceFailed(EmbeddedError):
    """A service did not become healthy, or could not be prepared."""


class UnknownService(EmbeddedError):
    """A name that is none of the stack's services."""


class NotRunning(EmbeddedError):
    """The stack is not running."""


class AirflowApiError(EmbeddedError):
    """Airflow's API refused a request or did not answer."""
