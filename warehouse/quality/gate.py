"""`run_gate`: what a layer's suite expects, judged by Great Expectations, and which figures failed it.

The engine computes the figures (see `figures`), Great Expectations judges small frames of them, so a gate
needs no driver but the warehouse's own client. Importing it takes seconds, so it happens in the call.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from warehouse.client import Warehouse
from warehouse.engines import connect
from warehouse.errors import PermanentError, TransientError
from warehouse.quality.suite import Suite, load_suite
from warehouse.settings import WarehouseSettings

if TYPE_CHECKING:
    from warehouse.quality.figures import Frame, Kind

SAMPLE = 5


@dataclass(frozen=True)
class Outcome:
    """What became of one expectation. `failing` holds up to five failing rows, the row's name first: a day
    or a month, the figure's `value`, and the `lowest` and `highest` that it may have. Of a `figure` of each
    day, what it may lie `within`, and what would be `needed` for every day to pass, if there is such a share.
    """

    table: str
    kind: Kind
    expectation: str
    passed: bool
    observed: str
    failing: tuple[Mapping[str, Any], ...] = ()
    figure: str = ""
    within: float | None = None
    needed: float | None = None

    def __str__(self) -> str:
        rows = "; ".join(", ".join(f"{k}={_plain(v)}" for k, v in row.items()) for row in self.failing)
        return f"{self.table}: {self.expectation}: {self.observed}" + (f", such as {rows}" if rows else "")


@dataclass(frozen=True)
class GateResult:
    """Every outcome of one gate; `seconds` is the time of the checks alone, `written_in` what is expected."""

    layer: str
    written_in: str
    outcomes: tuple[Outcome, ...]
    seconds: float

    @property
    def failures(self) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if not outcome.passed)

    @property
    def passed(self) -> bool:
        return not self.failures

    def raise_on_failure(self) -> None:
        """Raise `GateFailedError` naming each failed expectation and a sample of its figures; or
        `GateLateError` where all that is wrong is that the newest day has not come yet.
        """
        if self.failures:
            raise GateLateError(self) if all(map(_is_late, self.failures)) else GateFailedError(self)


class GateFailedError(PermanentError):
    """A layer's figures are not what its gate expects; `result` has them all."""

    def __init__(self, result: GateResult) -> None:
        super().__init__(
            f"{_refused(result)}\nLoad these days again from a mended source, or widen what is expected in "
            f"{result.written_in}; then run layer {result.layer} again."
        )
        self.result = result


class GateLateError(TransientError):
    """A layer's newest day has not come yet; `result` has all outcomes, and the others passed."""

    def __init__(self, result: GateResult) -> None:
        super().__init__(
            f"{_refused(result)}\nLoad the days that are missing; if they do not come, see what loads them."
        )
        self.result = result


def _is_late(outcome: Outcome) -> bool:
    """Old, and not of the future."""
    return outcome.kind == "freshness" and all(row["value"] > row["highest"] for row in outcome.failing)


def _refused(result: GateResult) -> str:
    failed = "\n".join(f"  - {outcome}" for outcome in result.failures)
    return (
        f"The gate after {result.layer} refused {len(result.failures)} of {len(result.outcomes)} "
        f"expectations:\n{failed}"
    )


def run_gate(
    settings: WarehouseSettings, layer: str, suite: Suite | None = None, now: datetime | None = None
) -> GateResult:
    """Check one layer against its suite (see `load_suite`, unless another is given), as the reader.

    `now` is the moment by which freshness is judged. Raises `SuiteError`, `UnreachableError` when the
    warehouse is away, `PermanentError` when a table is missing or a figure cannot be computed. A failed
    expectation is a result, not an error: see `GateResult.raise_on_failure`.
    """
    suite = suite or load_suite(layer)
    now = now or datetime.now(UTC)
    warehouse = connect(settings, read_only=True)
    try:
        _require_tables(warehouse, suite)
        judge = _Judge()
        started = time.monotonic()
        outcomes = tuple(judge.outcome(frame) for frame in _frames(warehouse, suite, now))
        return GateResult(suite.layer, suite.written_in, outcomes, time.monotonic() - started)
    finally:
        warehouse.close()


def _require_tables(warehouse: Warehouse, suite: Suite) -> None:
    present = {table.qualified_name for table in warehouse.tables(suite.tables)}
    missing = sorted(set(suite.tables) - present)
    if missing:
        raise PermanentError(
            f"The gate after {suite.layer} cannot find {', '.join(missing)}. Build layer {suite.layer} first."
        )


def _frames(warehouse: Warehouse, suite: Suite, now: datetime) -> Iterator[Frame]:
    from warehouse.quality.figures import daily_frames, totals_frames

    for daily in suite.daily:
        yield from daily_frames(warehouse, daily, now)
    for totals in suite.totals:
        yield from totals_frames(warehouse, totals)


class _Judge:
    """Great Expectations over frames in memory."""

    def __init__(self) -> None:
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        logging.getLogger("great_expectations").setLevel(logging.ERROR)
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig

        self._gx = gx
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        asset = context.data_sources.add_pandas("figures").add_dataframe_asset("frame")
        self._frames = asset.add_batch_definition_whole_dataframe("whole")

    def outcome(self, frame: Frame) -> Outcome:
        """Refuse each row whose value lies beyond its bounds, and one that has none; the newest are named."""
        from warehouse.quality.figures import needed

        rows = frame.rows.iloc[::-1]
        if rows.empty:
            return Outcome(frame.table, frame.kind, frame.expectation, True, "nothing to compare with yet")
        beyond = rows["value"] - rows["value"].clip(rows["lowest"], rows["highest"])
        nothing = rows[["value", "lowest", "highest"]].isna().any(axis="columns")
        judged = rows.assign(beyond=beyond.mask(nothing, float("inf")))
        expectation = self._gx.expectations.ExpectColumnValuesToBeBetween(
            column="beyond", min_value=0, max_value=0
        )
        result = self._frames.get_batch(batch_parameters={"dataframe": judged}).validate(
            expectation,
            result_format={
                "result_format": "SUMMARY",
                "partial_unexpected_count": SAMPLE,
                "unexpected_index_column_names": list(rows.columns),
            },
        )
        if not result.result:
            raise PermanentError(
                f"The gate could not judge {frame.table}: {frame.expectation}: {result.exception_info}"
            )
        observed = f"{result.result['unexpected_count']} of {result.result['element_count']}"
        failing = tuple(
            {name: row[name] for name in rows.columns}
            for row in result.result.get("partial_unexpected_index_list") or ()
        )
        short = None if result.success or frame.within is None else needed(rows, frame.within)
        return Outcome(
            frame.table, frame.kind, frame.expectation, bool(result.success), f"{observed} beyond", failing,
            frame.figure, frame.within, short,
        )  # fmt: skip


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
