"""The exception tree of the agents' room; permanent and transient are told apart at the root."""

from __future__ import annotations


class AgentError(Exception):
    """Anything an agent could not do; the message says what happened, to which thing, and what to do."""


class PermanentError(AgentError):
    """Trying again with the same input cannot help."""


class TransientError(AgentError):
    """A part that the agent needs is away for now: try again later with the same run id."""


class ToolError(AgentError):
    """A tool refused its input; the model is told the message and may try again."""


class ModelError(TransientError):
    """A language model failed or took too long. `out`: it would fail whatever it was asked; `wait_s` is for
    how long it asked to be left alone.
    """

    def __init__(self, message: str, out: bool = False, wait_s: float = 0.0) -> None:
        super().__init__(message)
        self.out = out
        self.wait_s = wait_s
