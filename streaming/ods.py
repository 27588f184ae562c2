"""ODS as the loader needs it: positions out, rows of raw JSON in, over ClickHouse's HTTP protocol.

JSON lines go through as they came from Kafka, so no row is ever turned into Python values and back.
"""

from __future__ import annotations

from typing import Any

import httpx

from streaming.ddl import ODS_DATABASE
from streaming.errors import PermanentError, StreamingError, TransientError
from warehouse.settings import WarehouseSettings

# The server's codes for "this value cannot be in that column": one record's fault, not the table's.
_DATA_CODES = {6, 26, 27, 33, 38, 41, 53, 69, 70, 72, 117, 130, 131, 190, 321, 349, 407, 469, 675, 676}
_TRANSIENT_CODES = {159, 202, 203, 209, 210, 236, 241, 242, 252, 279, 319, 394, 439, 473, 999}
_INSERT_SETTINGS = {
    "date_time_input_format": "best_effort",
    "input_format_skip_unknown_fields": "1",
    "input_format_null_as_default": "1",
    # A plain insert answers when the rows are in the table; that answer is what exactly-once rests on.
    "async_insert": "0",
    "max_insert_block_size": "10000000",
    "input_format_parallel_parsing": "0",
}
# A mark in the statement, by which a later loader finds inserts that a dead one left running.
_MARK = "/* tidemark loader */"


class RecordRefused(StreamingError):
    """The warehouse cannot take one or more of the rows; nothing of the insert is in the table."""


class Ods:
    """One connection to the telemetry tables of ODS."""

    def __init__(self, settings: WarehouseSettings) -> None:
        self.settings = settings
        self._url = settings.warehouse_url
        self._http = httpx.Client(
            base_url=settings.warehouse_url,
            headers={
                "X-ClickHouse-User": settings.warehouse_user,
                "X-ClickHouse-Key": settings.warehouse_password.get_secret_value(),
            },
            timeout=httpx.Timeout(60.0, connect=3.0),
            trust_env=False,
        )

    def execute(self, sql: str) -> None:
        """Run one statement."""
        self._post({}, sql.encode())

    def query(self, sql: str, **parameters: str) -> list[list[Any]]:
        """The rows of a SELECT; 64-bit integers as Python ints. `parameters` fill `{name:Type}`."""
        wanted = {"default_format": "JSONCompact", "output_format_json_quote_64bit_integers": "0"}
        named = {f"param_{name}": value for name, value in parameters.items()}
        return list(self._post(wanted | named, sql.encode()).json()["data"])

    def insert(self, table: str, lines: bytes, token: str) -> None:
        """Append JSON lines, all or none. The same token twice changes nothing.

        Raises RecordRefused for a value, TransientError for a server that is away or busy (it may have
        taken the rows all the same), PermanentError for the rest.
        """
        statement = f"INSERT {_MARK} INTO {ODS_DATABASE}.{table} FORMAT JSONEachRow"
        self._post(_INSERT_SETTINGS | {"query": statement, "insert_deduplication_token": token}, lines)

    def positions(self, tables: list[str]) -> dict[tuple[str, int], int]:
        """The last offset of each (topic, partition) that the tables hold."""
        parts = [f"SELECT _topic, _partition, _offset FROM {ODS_DATABASE}.{table}" for table in tables]
        rows = self.query(
            f"SELECT _topic, _partition, max(_offset) FROM ({' UNION ALL '.join(parts)}) "
            "WHERE _topic != '' GROUP BY _topic, _partition"
        )
        return {(topic, partition): offset for topic, partition, offset in rows}

    def running_inserts(self) -> int:
        """How many inserts of any loader the server is working on."""
        ((count,),) = self.query(f"SELECT count() FROM system.processes WHERE query LIKE 'INSERT {_MARK}%'")
        return int(count)

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def _post(self, parameters: dict[str, str], body: bytes) -> httpx.Response:
        try:
            response = self._http.post("/", params=parameters, content=body)
        except httpx.TransportError as error:
            raise TransientError(
                f"the warehouse at {self._url} does not answer ({error}); is it up?"
            ) from error
        if response.is_success:
            return response
        code = int(response.headers.get("X-ClickHouse-Exception-Code", "0"))
        said = response.text.strip().split("\n", 1)[0][:500]
        if code in _DATA_CODES:
            raise RecordRefused(said)
        if code in _TRANSIENT_CODES or (code == 0 and response.status_code in (429, 500, 502, 503, 504)):
            raise TransientError(f"the warehouse at {self._url} cannot take this now: {said}")
        raise PermanentError(f"the warehouse at {self._url} refused: {said}")
