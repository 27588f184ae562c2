"""What tables a project has, from BigQuery's API, which costs nothing to ask."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from warehouse.bigquery.errors import ONCE
from warehouse.client import Column, LiveTable

# The API still says what types were called before there was GoogleSQL.
_TYPES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}
_AT_ONCE = 8
_SECONDS = 20.0


def column_of(field: bigquery.SchemaField) -> Column:
    """A column with its type in the words of a query."""
    kind = _TYPES.get(field.field_type, field.field_type)
    return Column(field.name, f"ARRAY<{kind}>" if field.mode == "REPEATED" else kind)


def live_tables(client: bigquery.Client, names: Collection[str] | None) -> list[LiveTable]:
    """The tables and views of these names that there are, or all of the project."""
    wanted = sorted(_all(client) if names is None else (name for name in names if name.count(".") == 1))
    # Of one table the API tells all, of a list of them neither columns nor sizes.
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [table for table in pool.map(lambda name: _table(client, name), wanted) if table]


def _all(client: bigquery.Client) -> list[str]:
    return [
        f"{dataset.dataset_id}.{table.table_id}"
        for dataset in client.list_datasets(retry=ONCE, timeout=_SECONDS)
        for table in client.list_tables(dataset.dataset_id, retry=ONCE, timeout=_SECONDS)
    ]


def _table(client: bigquery.Client, name: str) -> LiveTable | None:
    database, _, table = name.partition(".")
    try:
        found = client.get_table(f"{client.project}.{database}.{table}", retry=ONCE, timeout=_SECONDS)
    except NotFound:
        return None
    stored = found.table_type == "TABLE"
    return LiveTable(
        database,
        table,
        tuple(column_of(field) for field in found.schema),
        found.num_rows if stored else None,
        found.num_bytes if stored else None,
        f"{found.etag} {found.num_rows}" if stored else None,
    )
