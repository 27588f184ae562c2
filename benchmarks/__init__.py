"""What is measured, always as a ratio of two things timed in one run: ratios travel, seconds do not."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """A `value` and, where there is one, the `baseline` in the same unit that it is a share of."""

    what: str
    value: float
    unit: str
    baseline: float | None = None
    against: str = ""

    @property
    def share(self) -> float | None:
        return self.value / self.baseline if self.baseline else None


def free_ports(count: int) -> list[int]:
    """Ports that nobody holds; all different, because all are held until the last is found."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
