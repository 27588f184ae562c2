"""`run_gate`: one Great Expectations checkpoint over one layer, and which rows failed it.

Importing Great Expectations takes seconds, so it happens in the call; a run itself takes less than one.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit, urlunsplit

from warehouse.client import Warehouse, connect
from warehouse.errors import PermanentError, UnreachableError, says_away
from warehouse.quality.suite import Suite, TableSuite, load_suite
from warehouse.settings import WarehouseSettings

if TYPE_CHECKING:
    from great_expectations.data_context import EphemeralDataContext

SAMPLE = 5


@dataclass(frozen=True)
class Outcome:
    """What became of one expectation. `failing` holds up to five failing rows, key columns first."""

    table: str
    expectation: str
    passed: bool
    observed: str
    failing: tuple[Mapping[str, Any], ...] = ()

    def __str__(self) -> str:
        rows = "; ".join(", ".join(f"{k}={v!r}" for k, v in row.items()) for row in self.failing)
        return f"{self.table}: {self.expectation}: {self.observed}" + (f", such as {rows}" if rows else "")


@dataclass(frozen=True)
class GateResult:
    """Every outcome of one gate; `seconds` is the time of the checks alone."""

    layer: str
    outcomes: tuple[Outcome, ...]
    seconds: float

    @property
    def failures(self) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if not outcome.passed)

    @property
    def passed(self) -> bool:
        return not self.failures

    def raise_on_failure(self) -> None:
        """Raise `GateFailedError` naming each failed expectation and a sample of its rows."""
        if self.failures:
            raise GateFailedError(self)


class GateFailedError(PermanentError):
    """Rows of a layer are not what its gate expects; `result` has them all."""

    def __init__(self, result: GateResult) -> None:
        failed = "\n".join(f"  - {outcome}" for outcome in result.failures)
        super().__init__(
            f"The gate after {result.layer} refused {len(result.failures)} of {len(result.outcomes)} "
            f"expectations:\n{failed}\n"
            f"Mend these rows at their source (or the expectation in warehouse/quality/suites/"
            f"{result.layer}.yml), then run layer {result.layer} again."
        )
        self.result = result


def run_gate(settings: WarehouseSettings, layer: str, suite: Suite | None = None) -> GateResult:
    """Check one layer against its suite (`suites/<layer>.yml` unless another is given), as the reader.

    Raises `SuiteError`, `UnreachableError` when the warehouse is away, `PermanentError` when a table is
    missing. A failed expectation is a result, not an error: see `GateResult.raise_on_failure`.
    """
    suite = suite or load_suite(layer)
    warehouse = connect(settings, read_only=True)
    try:
        _require_tables(warehouse, suite)
        context = _context()
        started = time.monotonic()
        source = context.data_sources.add_sql("warehouse", connection_string=_dsn(settings, suite.layer))
        outcomes: list[Outcome] = []
        for table in suite.tables:
            outcomes += _check(context, source, suite.layer, table, warehouse)
        return GateResult(suite.layer, tuple(outcomes), time.monotonic() - started)
    finally:
        warehouse.close()


def _require_tables(warehouse: Warehouse, suite: Suite) -> None:
    present = {
        f"{database}.{name}"
        for database, name in warehouse.query("select database, name from system.tables").rows
    }
    missing = sorted({table.table for table in suite.tables} - present)
    if missing:
        raise PermanentError(
            f"The gate after {suite.layer} cannot find {', '.join(missing)}. Build layer {suite.layer} first."
        )


def _context() -> EphemeralDataContext:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def _dsn(settings: WarehouseSettings, database: str) -> str:
    """The warehouse's address in SQLAlchemy's form, for clickhouse-connect's dialect."""
    url = urlsplit(settings.warehouse_url)
    user = quote(settings.warehouse_reader_user, safe="")
    password = quote(settings.warehouse_reader_password.get_secret_value(), safe="")
    query = "secure=true" if url.scheme == "https" else ""
    return urlunsplit(("clickhousedb", f"{user}:{password}@{url.netloc}", f"/{database}", query, ""))


def _check(
    context: EphemeralDataContext, source: Any, layer: str, table: TableSuite, warehouse: Warehouse
) -> list[Outcome]:
    """Run one checkpoint over one table: the columns that identify a failing row are the table's own."""
    import great_expectations as gx
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    expectations = [*table.expectations, *(rows.expectation for rows in table.no_rows)]
    asset = source.add_table_asset(table.table, table_name=table.name)
    suite = gx.ExpectationSuite(
        name=table.table,
        expectations=[
            ExpectationConfiguration(type=e.type, kwargs=dict(e.kwargs)).to_domain_obj() for e in expectations
        ],
    )
    definition = gx.ValidationDefinition(
        name=table.table, data=asset.add_batch_definition_whole_table("all"), suite=context.suites.add(suite)
    )
    checkpoint = gx.Checkpoint(
        name=f"{layer}.{table.table}",
        validation_definitions=[context.validation_definitions.add(definition)],
        result_format={
            "result_format": "SUMMARY",
            "partial_unexpected_count": SAMPLE,
            "unexpected_index_column_names": list(table.key),
        },
    )
    runs = context.checkpoints.add(checkpoint).run().run_results.values()
    return [_outcome(table, result, warehouse) for run in runs for result in run.results]


def _outcome(table: TableSuite, result: Any, warehouse: Warehouse) -> Outcome:
    config = result.expectation_config
    kwargs = {name: value for name, value in config.kwargs.items() if name != "batch_id"}
    sql = kwargs.get("unexpected_rows_query")
    words = (
        next(rows.name for rows in table.no_rows if rows.sql == sql)
        if sql
        else f"{config.type}({', '.join(f'{name}={value!r}' for name, value in kwargs.items())})"
    )
    if result.success:
        return Outcome(table.table, words, True, "as expected")
    found = result.result
    if not found:
        reason = _reason(result.exception_info)
        error = UnreachableError if says_away(reason) else PermanentError
        raise error(f"The gate could not check {table.table}: {words}: {reason}")
    if sql:
        failing = warehouse.query(f"select * from ({sql.format(batch=table.table)}) limit {SAMPLE}").records()
        return Outcome(table.table, words, False, f"{found['observed_value']} rows", tuple(failing))
    if "element_count" in found:
        observed = f"{found['unexpected_count']} of {found['element_count']} rows"
        rows = tuple(found.get("partial_unexpected_index_list") or ())
        return Outcome(table.table, words, False, observed, rows)
    observed = f"found {found.get('partial_unexpected_list') or found['observed_value']}"
    return Outcome(table.table, words, False, observed)


def _reason(exception_info: Mapping[str, Any]) -> str:
    """The first message of Great Expectations' exceptions, which come one by one or keyed by metric."""
    first = exception_info
    if "exception_message" not in exception_info:
        first = next(iter(exception_info.values()), {})
    return str(first.get("exception_message") or "no reason given").strip().splitlines()[0]
