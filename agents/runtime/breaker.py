"""A circuit breaker: a provider that is out is left alone for a while, then tried by one call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agents.runtime.errors import ModelError

CALLS_AT_ONCE = 8


class Breaker:
    """One provider's state, shared by all runs of the process.

    Closed, calls go through. An outage opens it for the cool-down, or for as long as the provider asked;
    after that one call is the probe, and the others are refused until it has ended. `slots` bounds the calls
    that are under way, with those that were given up but have not ended.
    """

    def __init__(self, cooldown_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.slots = threading.BoundedSemaphore(CALLS_AT_ONCE)
        self._cooldown_s = cooldown_s
        self._clock = clock
        self._lock = threading.Lock()
        self._until = 0.0
        self._reason = ""
        self._probing = False

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around one call. Raises ModelError at once while the provider is left alone."""
        probe = self._admit()
        try:
            yield
        except ModelError as error:
            self._ended(error)
            raise
        else:
            self._ended(None)
        finally:
            if probe:
                with self._lock:
                    self._probing = False

    def _admit(self) -> bool:
        with self._lock:
            if not self._reason:
                return False
            left = self._until - self._clock()
            if left > 0:
                raise ModelError(f"not asked for another {left:.0f} s: {self._reason}")
            if self._probing:
                raise ModelError(f"not asked while another call tries it: {self._reason}")
            self._probing = True
            return True

    def _ended(self, error: ModelError | None) -> None:
        with self._lock:
            if error is not None and error.out:
                self._reason = str(error)
                self._until = self._clock() + max(self._cooldown_s, error.wait_s)
            else:
                self._reason = ""


_SHARED: dict[str, Breaker] = {}
_SHARING = threading.Lock()


def shared(provider: str, cooldown_s: float) -> Breaker:
    """The process's breaker of a provider."""
    with _SHARING:
        return _SHARED.setdefault(provider, Breaker(cooldown_s))
