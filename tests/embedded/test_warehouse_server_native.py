"""ClickHouse's own wire: compressed blocks, and the Native format of a protocol revision."""

from __future__ import annotations

import pytest

from embedded.warehouse_server.codecs import blocked, unblocked
from embedded.warehouse_server.errors import WarehouseServerError
from warehouse_process import WarehouseProcess

INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"


def unpack(data: bytes) -> bytes:
    return b"".join(unblocked(iter([data]), None))


def test_an_answer_in_blocks_and_rows_in_blocks(warehouse: WarehouseProcess) -> None:
    warehouse.sql("create or replace table ods.rows (a Int64) engine = MergeTree order by a")
    rows = b"".join(b"%d\n" % n for n in range(400_000))
    reply = warehouse.ask(blocked(rows), query="insert into ods.rows format TSV", decompress="1")
    assert reply.status == 200, reply.text
    reply = warehouse.ask("select a from ods.rows order by a", compress="1")
    assert unpack(reply.body) == rows
    assert len(reply.body) < len(rows)
    reply = warehouse.ask("select nope", compress="1")
    assert reply.code == "47"
    assert unpack(reply.body).startswith(b"Code: 47. DB::Exception: ")


@pytest.mark.parametrize("method", [0x02, 0x82, 0x90])
def test_each_method_is_read_however_it_is_cut(method: int) -> None:
    from backports import zstd
    from clickhouse_cityhash.cityhash import CityHash128

    content = b"rows and rows " * 10_000
    packed = {0x02: content, 0x82: blocked(content)[25:], 0x90: zstd.compress(content)}[method]
    rest = bytes([method]) + (9 + len(packed)).to_bytes(4, "little") + len(content).to_bytes(4, "little")
    hashed = CityHash128(rest + packed)
    block = (hashed >> 64).to_bytes(8, "little") + (hashed % 2**64).to_bytes(8, "little") + rest + packed
    for step in (1 if method == 0x90 else 1000, 4096, len(block) * 2):
        twice = block * 2
        assert b"".join(unblocked((twice[at : at + step] for at in range(0, len(twice), step)), None)) == (
            content * 2
        )


def test_a_block_that_is_damaged_or_too_large_is_refused(warehouse: WarehouseProcess) -> None:
    block = blocked(b"x" * 1000)
    cases = {
        40: b"\x00" + block[1:],
        33: block[:-1],
        165: block[:17] + b"\xff\xff\xff\x7f" + block[21:],
    }
    for code, data in cases.items():
        with pytest.raises(WarehouseServerError) as raised:
            unpack(data)
        assert raised.value.code == code
    reply = warehouse.ask(blocked(b"x" * (17 << 20)), user="reader", decompress="1")
    assert reply.code == "165"


@pytest.mark.parametrize(
    ("revision", "head"),
    [
        ("54405", INFO + b"\x02\x01\x01n\x05UInt8\x01\x01t\x0fDateTime('UTC')\x01\x00\x00\x00"),
        ("54460", INFO + b"\x02\x01\x01n\x05UInt8\x00\x01\x01t\x0fDateTime('UTC')\x00\x01\x00\x00\x00"),
        (
            "54483",
            INFO[:-1]
            + b"\x03\x00\x00"
            + b"\x02\x01\x01n\x05UInt8\x00\x01\x01t\x0fDateTime('UTC')\x00\x01\x00\x00\x00",
        ),
        ("0", b"\x02\x01\x01n\x05UInt8\x01\x01t\x08DateTime\x01\x00\x00\x00"),
    ],
)
@pytest.mark.parametrize("user", ["tidemark", "reader"])
def test_native_is_of_the_revision_that_was_asked_for(
    warehouse: WarehouseProcess, user: str, revision: str, head: bytes
) -> None:
    sql = "select 1 as n, toDateTime(1, 'UTC') as t format Native"
    assert warehouse.ask(sql, user=user, client_protocol_version=revision).body == head
    other = warehouse.ask("show tables from system like 'one' format Native", client_protocol_version="54460")
    assert other.body == INFO + b"\x01\x01\x04name\x06String\x00\x03one"


@pytest.mark.parametrize("revision", ["1", "54336", "54492", "999999999"])
def test_a_revision_that_is_not_written_is_refused(warehouse: WarehouseProcess, revision: str) -> None:
    reply = warehouse.ask("select 1 format Native", client_protocol_version=revision)
    assert (reply.status, reply.code) == (501, "48")
    assert "54337 to 54491" in reply.text
    assert warehouse.sql("select 1", client_protocol_version=revision) == "1"


def test_an_empty_result_has_its_columns(warehouse: WarehouseProcess) -> None:
    reply = warehouse.ask("select 1 as n where 0 format Native", client_protocol_version="54460")
    assert reply.body == INFO + b"\x01\x00\x01n\x05UInt8\x00"


def test_what_goes_out_in_a_revision_is_the_same_in_many_blocks(warehouse: WarehouseProcess) -> None:
    sql = "select number, [toString(number)], toLowCardinality('l') from numbers(300000) format Native"
    settings = {"max_block_size": "10000", "max_threads": "1"}
    plain = warehouse.ask(sql, **settings).body
    revised = warehouse.ask(sql, client_protocol_version="54405", **settings).body
    assert revised.count(INFO) == 30
    assert revised.replace(INFO, b"") == plain


def test_a_parameter_s_name_may_hold_a_dollar(warehouse: WarehouseProcess) -> None:
    assert warehouse.sql("select {a$1:Int8}", param_a_1="0", **{"param_a$1": "7"}) == "7"


def test_without_a_result_there_is_no_format(warehouse: WarehouseProcess) -> None:
    create = warehouse.ask("create or replace table ods.rows (a Int64) engine = MergeTree order by a")
    insert = warehouse.ask("1\n", query="insert into ods.rows format TSV")
    for reply in (create, insert, warehouse.ask("select nope")):
        assert "x-clickhouse-format" not in reply.headers
    assert warehouse.ask("select a from ods.rows where 0").headers["x-clickhouse-format"] == "TabSeparated"


def test_a_request_s_database_does_not_stay_with_its_session(warehouse: WarehouseProcess) -> None:
    def at(session: str, **asked: str) -> str:
        return warehouse.sql("select currentDatabase()", session_id=session, **asked)

    assert at("moved", database="dws") == "dws"
    assert at("moved") == "default"
    warehouse.sql("use ads", session_id="moved")
    assert at("moved") == "ads"
    assert at("moved", database="dwd") == "dwd"
    assert at("moved") == "ads"
    warehouse.sql("select 1", session_id="moved", close_session="1")
