"""Tables made and filled: load jobs of Parquet, days replaced by one MERGE."""

from __future__ import annotations

import hashlib
import io
import re
import uuid
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from google.api_core.exceptions import Conflict, NotFound
from google.cloud import bigquery

from warehouse.bigquery.errors import ONCE
from warehouse.client import ColumnSpec, TableSpec
from warehouse.errors import PermanentError

if TYPE_CHECKING:
    import pyarrow as pa

_TYPES = {
    "text": "STRING",
    "bigint": "INT64",
    "double": "FLOAT64",
    "date": "DATE",
    "time": "TIMESTAMP",
    "map": "JSON",
}
# BigQuery's own pseudo-columns: no column of a table may begin with one.
_RESERVED = re.compile(r"_PARTITION|_TABLE_|_FILE_|_ROW_TIMESTAMP|__ROOT__|_COLIDENTIFIER", re.IGNORECASE)
_CLUSTERED = 4
_STAGE_LIVES = timedelta(hours=6)
_DAY_MS = 24 * 60 * 60 * 1000


def create(client: bigquery.Client, table: TableSpec) -> None:
    """The table and its dataset, where they are missing. Partitions are days."""
    if reserved := [column.name for column in table.columns if _RESERVED.match(column.name)]:
        raise PermanentError(
            f"{table.name} cannot be made in BigQuery, which keeps names such as {reserved[0]} to itself. "
            "Name the column otherwise."
        )
    client.create_dataset(table.name.partition(".")[0], exists_ok=True, retry=ONCE)
    made = bigquery.Table(f"{client.project}.{table.name}", [_field(column) for column in table.columns])
    made.time_partitioning = bigquery.TimePartitioning(
        field=table.partition_by,
        expiration_ms=table.retention_days * _DAY_MS if table.retention_days else None,
    )
    made.clustering_fields = _clustered(table)
    client.create_table(made, exists_ok=True, retry=ONCE)


def insert(
    client: bigquery.Client, table: str, rows: pa.Table, token: str | None, labels: Mapping[str, str]
) -> None:
    """Append by a load job, all or none. The token is the job's id, and BigQuery runs no id twice.

    An id is known for half a year. That of a job that failed is spent: the next attempt has the next one.
    """
    if token is None:
        _load(client, table, rows, f"tidemark_{uuid.uuid4().hex}", labels)
        return
    stem = "tidemark_" + hashlib.sha256(f"{table} {token}".encode()).hexdigest()[:40]
    attempt = 0
    while True:
        job_id = f"{stem}_{attempt}"
        known = None
        with suppress(NotFound):
            known = client.get_job(job_id, retry=ONCE)
        if known is None:
            try:
                _load(client, table, rows, job_id, labels)
            except Conflict:
                continue  # another process has just begun it
            return
        if known.state != "DONE":
            known.result(retry=ONCE)
        if known.error_result is None:
            return
        attempt += 1


def replace_days(
    client: bigquery.Client,
    table: TableSpec,
    days: Collection[date],
    rows: pa.Table,
    labels: Mapping[str, str],
    execute: Callable[[str], None],
) -> None:
    """All the days at once, in one statement: readers see the rows of before or those of after."""
    rows = table.fitted(rows)
    table.days_in(rows, days)
    if not days:
        return
    stage = f"{table.name}__{uuid.uuid4().hex[:12]}"
    staged = bigquery.Table(f"{client.project}.{stage}", [_field(column) for column in table.columns])
    # What a killed process leaves behind goes away by itself.
    staged.expires = datetime.now(UTC) + _STAGE_LIVES
    client.create_table(staged, retry=ONCE)
    try:
        if rows.num_rows:
            insert(client, stage, rows, None, labels)
        names = ", ".join(f"`{column.name}`" for column in table.columns)
        listed = ", ".join(f"DATE '{day}'" for day in sorted(set(days)))
        execute(
            f"MERGE INTO {_quoted(table.name)} AS old USING {_quoted(stage)} AS new ON FALSE\n"
            f"WHEN NOT MATCHED BY SOURCE AND old.`{table.partition_by}` IN ({listed}) THEN DELETE\n"
            f"WHEN NOT MATCHED BY TARGET THEN INSERT ({names}) VALUES ({names})"
        )
    finally:
        client.delete_table(staged, not_found_ok=True, retry=ONCE)


def _load(
    client: bigquery.Client, table: str, rows: pa.Table, job_id: str, labels: Mapping[str, str]
) -> None:
    import pyarrow.parquet as pq

    parquet = io.BytesIO()
    pq.write_table(rows, parquet)
    config = bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.PARQUET,
        write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
        create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
        labels=dict(labels),
    )
    job = client.load_table_from_file(
        parquet, f"{client.project}.{table}", rewind=True, job_id=job_id, job_config=config, num_retries=0
    )
    job.result(retry=ONCE)


def _quoted(table: str) -> str:
    return ".".join(f"`{part}`" for part in table.split("."))


def _field(column: ColumnSpec) -> bigquery.SchemaField:
    # Nullable all: a load job of Parquet takes a column that may hold nulls for one that does.
    default = "CURRENT_TIMESTAMP()" if column.stamped else None
    return bigquery.SchemaField(column.name, _TYPES[column.type], default_value_expression=default)


def _clustered(table: TableSpec) -> list[str] | None:
    """BigQuery keeps rows together by up to four columns, of types that can be compared."""
    kinds = {column.name: column.type for column in table.columns}
    names = [one if isinstance(one, str) else one[1] for one in table.order_by]
    fit = [name for name in dict.fromkeys(names) if kinds[name] not in ("double", "map")]
    return fit[:_CLUSTERED] or None
