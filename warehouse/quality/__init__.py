"""Gates between the layers: what must hold of a layer before the next one is built from it."""

from warehouse.quality.gate import GateFailedError, GateLateError, GateResult, Outcome, run_gate
from warehouse.quality.suite import Suite, SuiteError, load_suite
from warehouse.quality.widening import Change, Widening, widenings

__all__ = [
    "Change",
    "GateFailedError",
    "GateLateError",
    "GateResult",
    "Outcome",
    "Suite",
    "SuiteError",
    "Widening",
    "load_suite",
    "run_gate",
    "widenings",
]
