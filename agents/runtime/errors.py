"""What only this room can say went wrong, and the roots of all rooms' errors."""

from __future__ import annotations

from warehouse.errors import PermanentError, TidemarkError, TransientError

__all__ = ["ModelError", "PermanentError", "ToolError", "TransientError"]


class ToolError(TidemarkError):
    """A tool refused its input; the model is told the message and may try again."""


class ModelError(TransientError):
    """A language model failed or took too long. `out`: it would fail whatever it was asked; `wait_s` is for
    how long it asked to be left alone.
    """

    def __init__(self, message: str, out: bool = False, wait_s: float = 0.0) -> None:
        super().__init__(message)
        self.out = out
        self.wait_s = wait_s
