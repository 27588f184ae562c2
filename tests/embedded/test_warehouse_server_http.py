"""The protocol as a plain HTTP client sees it."""

from __future__ import annotations

import base64
import gzip
import json
import socket
import threading
import time
import zlib
from typing import Any

import lz4.frame
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backports import zstd

from warehouse_process import WarehouseProcess


@pytest.fixture
def rows(warehouse: WarehouseProcess) -> WarehouseProcess:
    warehouse.sql("create or replace table ods.rows (a Int64, s String) engine = MergeTree order by a")
    return warehouse


def test_it_is_ready_in_utc_with_a_database_a_layer(warehouse: WarehouseProcess) -> None:
    assert warehouse.ask(path="/ping", method="GET").text == "Ok.\n"
    assert warehouse.ask(path="/", method="GET").text == "Ok.\n"
    assert warehouse.ask(path="/nowhere").status == 404
    assert warehouse.sql("select timezone()") == "UTC"
    engines = warehouse.sql(
        "select name, engine from system.databases where engine != 'Memory' order by name"
    )
    assert engines.split() == [
        word for name in ("ads", "default", "dwd", "dws", "ods") for word in (name, "Atomic")
    ]


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [
        ("selec 1", 400, "62"),
        ("", 400, "62"),
        ("/* nothing */", 400, "62"),
        ("select nope", 404, "47"),
        ("select * from ods.nope", 404, "60"),
        ("select * from nope.nope", 404, "81"),
        ("select nope()", 404, "46"),
        ("select 1 format Nope", 404, "73"),
        ("select throwIf(1)", 500, "395"),
        ("select 1; select 2", 400, "62"),
        ("select {x:Int8}", 500, "456"),
    ],
)
def test_errors_carry_clickhouse_code_and_status(
    warehouse: WarehouseProcess, sql: str, status: int, code: str
) -> None:
    reply = warehouse.ask(sql)
    assert (reply.status, reply.code) == (status, code), reply.text
    assert reply.text.startswith(f"Code: {code}. DB::Exception: ")


def test_settings_pass_through_and_unknown_ones_are_named(warehouse: WarehouseProcess) -> None:
    assert warehouse.sql("select getSetting('max_threads')", max_threads="1") == "1"
    reply = warehouse.ask("select 1", no_such_setting="1")
    assert (reply.status, reply.code) == (404, "115")
    assert "no_such_setting" in reply.text
    assert warehouse.ask("select 1", **{"a b'": "1"}).code == "115"


def test_execution_time_is_honoured(warehouse: WarehouseProcess) -> None:
    reply = warehouse.ask("select sum(sin(number)) from numbers(100000000000)", max_execution_time="1")
    assert (reply.status, reply.code) == (408, "159")


@pytest.mark.parametrize(
    "how",
    [
        {"headers": {"X-ClickHouse-User": "tidemark", "X-ClickHouse-Key": "tidemark"}},
        {"headers": {"Authorization": ""}, "user": "tidemark", "password": "tidemark"},
        {"headers": {"Authorization": f"Basic {base64.b64encode(b'reader:reader').decode()}"}},
    ],
)
def test_three_ways_to_say_who_one_is(warehouse: WarehouseProcess, how: dict[str, Any]) -> None:
    params = {name: value for name, value in how.items() if name != "headers"}
    url = "&".join(f"{name}={value}" for name, value in params.items())
    assert warehouse.ask("select 1", path=f"/?{url}", headers=how["headers"]).text == "1\n"


def test_a_stranger_is_refused_before_anything_runs(warehouse: WarehouseProcess) -> None:
    reply = warehouse.ask("select 1", user="stranger")
    assert (reply.status, reply.code) == (403, "516")
    assert warehouse.ask("select 1", headers={"Authorization": "Basic !!"}).code == "516"
    assert warehouse.ask("select 1", headers={"Authorization": "Bearer token"}).code == "516"


def test_headers_say_what_was_done(rows: WarehouseProcess) -> None:
    reply = rows.ask("insert into ods.rows select number, '' from numbers(7)", query_id="mine")
    assert reply.headers["x-clickhouse-query-id"] == "mine"
    assert json.loads(reply.headers["x-clickhouse-summary"])["written_rows"] == "7"
    reply = rows.ask("select * from ods.rows format JSON")
    assert reply.headers["x-clickhouse-format"] == "JSON"
    assert reply.headers["content-type"].startswith("application/json")
    assert reply.headers["x-clickhouse-timezone"] == "UTC"
    assert reply.headers["x-clickhouse-server-display-name"]
    assert json.loads(reply.headers["x-clickhouse-summary"])["read_rows"] == "7"
    assert rows.ask("select 1 as x", default_format="JSONEachRow").text == '{"x":1}\n'


@pytest.mark.parametrize("user", ["tidemark", "reader"])
def test_numbers_beyond_a_whole_ones_room_are_numbers(warehouse: WarehouseProcess, user: str) -> None:
    asked = "SELECT 1e20, -1e25, 18446744073709551616, 100000000000000000000.5, 1e19"
    reply = warehouse.ask(asked, user=user)
    assert reply.status == 200, reply.text
    assert [float(value) for value in reply.text.split()] == [1e20, -1e25, 2.0**64, 1e20, 1e19]
    largest = f"SELECT {2**64 - 1}, {2**64 - 1}::UInt64, -{2**63}"
    assert warehouse.ask(largest, user=user).text == f"{2**64 - 1}\t{2**64 - 1}\t-{2**63}\n"
    assert warehouse.ask("SELECT count() FROM numbers(9) WHERE number < 1e20", user=user).text == "9\n"
    text = "SELECT '\"value\":100000000000000000000,'"
    assert warehouse.ask(text, user=user).text == '"value":100000000000000000000,\n'


def test_parameters_are_bound_not_pasted(warehouse: WarehouseProcess) -> None:
    text = "it's 中文\\n\\t\\\\"
    assert warehouse.sql(
        "select {s:String}, {n:UInt8} + 1", param_s=text.replace("'", "\\'"), param_n="1"
    ) == (text.replace("'", "\\'") + "\t2")
    assert warehouse.sql("select count() from {t:Identifier}.one", param_t="system") == "1"


def test_get_only_reads(rows: WarehouseProcess) -> None:
    assert rows.ask(method="GET", query="select 1").text == "1\n"
    assert rows.ask(method="GET", query="drop table ods.rows").code == "164"
    assert rows.ask(b"1\tx\n", method="GET", query="insert into ods.rows format TSV").code == "164"


def arrow(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


TABLE = pa.table({"a": pa.array([1, 2], pa.int64()), "s": ["é", "中"]})
INPUTS = {
    "JSONEachRow": '{"a":1,"s":"é"}\n{"a":2,"s":"中"}'.encode(),
    "TabSeparated": "1\té\n2\t中\n".encode(),
    "CSVWithNames": 's,a\n"é",1\n中,2'.encode(),
    "RowBinary": b"".join(
        n.to_bytes(8, "little") + bytes([len(s)]) + s for n, s in ((1, "é".encode()), (2, "中".encode()))
    ),
    "Values": "(1, 'é'), (1 + 1, '中')".encode(),
    "ArrowStream": arrow(TABLE),
    "Parquet": parquet(TABLE),
}


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("where", ["query", "body"])
def test_rows_come_in_any_format(rows: WarehouseProcess, name: str, where: str) -> None:
    head = "insert into ods.rows (a, s) " + ("values" if name == "Values" else f"format {name}")
    if where == "query":
        reply = rows.ask(INPUTS[name], query=head)
    else:
        reply = rows.ask(f"{head}\n".encode() + INPUTS[name])
    assert reply.status == 200, reply.text
    assert rows.sql("select * from ods.rows order by a") == "1\té\n2\t中"


@pytest.mark.parametrize(
    "name", ["Native", "RowBinary", "Parquet", "ArrowStream", "JSONEachRow", "Values", "CSV"]
)
def test_what_goes_out_comes_in_again(rows: WarehouseProcess, name: str) -> None:
    out = rows.ask(f"select number as a, toString(number) as s from numbers(200000) format {name}").body
    assert rows.ask(out, query=f"insert into ods.rows format {name}").status == 200
    assert (
        rows.sql("select count(), sum(a), countIf(s = toString(a)) from ods.rows")
        == "200000\t19999900000\t200000"
    )


def test_a_large_json_answer_is_one_document(warehouse: WarehouseProcess) -> None:
    reply = warehouse.ask("select number from numbers(300000) format JSON")
    assert reply.headers["transfer-encoding"] == "chunked"
    assert len(json.loads(reply.text)["data"]) == 300000


@pytest.mark.parametrize(
    ("encoding", "pack", "unpack"),
    [
        ("gzip", gzip.compress, gzip.decompress),
        ("deflate", zlib.compress, zlib.decompress),
        ("zstd", zstd.compress, zstd.decompress),
        ("lz4", lz4.frame.compress, lz4.frame.decompress),
    ],
)
def test_bodies_are_compressed_both_ways(
    rows: WarehouseProcess, encoding: str, pack: Any, unpack: Any
) -> None:
    sent = pack(b"".join(b"%d\tx\n" % n for n in range(50000)))
    where = {"query": "insert into ods.rows format TSV"}
    assert rows.ask(sent, headers={"Content-Encoding": encoding}, **where).status == 200
    reply = rows.ask(
        "select * from ods.rows order by a",
        headers={"Accept-Encoding": encoding},
        enable_http_compression="1",
    )
    assert reply.headers["content-encoding"] == encoding
    assert unpack(reply.body).count(b"\n") == 50000
    for cut in (sent[:-5], b"not compressed"):
        assert rows.ask(cut, headers={"Content-Encoding": encoding}, **where).code in ("33", "117")
    assert rows.sql("select count() from ods.rows") == "50000"


@pytest.mark.parametrize("framing", ["Content-Length: 1000000", "Transfer-Encoding: chunked"])
def test_a_body_cut_short_leaves_nothing(rows: WarehouseProcess, framing: str) -> None:
    lines = b"".join(b"%d\tx\n" % n for n in range(1000))
    body = lines if "Length" in framing else b"%x\r\n%s\r\n" % (len(lines), lines)
    with socket.create_connection(("127.0.0.1", rows.port)) as client:
        client.sendall(
            b"POST /?user=tidemark&password=tidemark&query=insert+into+ods.rows+format+TSV HTTP/1.1\r\n"
            b"Host: localhost\r\n%s\r\n\r\n%s" % (framing.encode(), body)
        )
        client.shutdown(socket.SHUT_WR)
        assert b"Exception-Code: 33" in client.recv(65536)
    assert rows.sql("select count() from ods.rows") == "0"


def test_a_bad_row_fails_the_whole_insert_and_the_connection_lives(rows: WarehouseProcess) -> None:
    bad = b"".join(b"%d\tx\n" % n for n in range(100000)) + b"not a number\tx\n"
    reply = rows.ask(bad, query="insert into ods.rows format TSV")
    assert (reply.status, reply.code) == (400, "27")
    assert "close" not in reply.headers.get("connection", "")
    assert rows.sql("select count() from ods.rows") == "0"


def test_rows_that_the_engine_would_drop_are_refused(rows: WarehouseProcess) -> None:
    sql = "insert into ods.rows select a, s from input('a Int64, s String') format CSV"
    assert rows.ask(b"1,x\n", query=sql).code == "48"


def test_an_error_after_the_answer_began_breaks_the_answer(warehouse: WarehouseProcess) -> None:
    with socket.create_connection(("127.0.0.1", warehouse.port)) as client:
        sql = b"select throwIf(number = 3000000) from numbers(4000000)"
        client.sendall(
            b"POST /?user=tidemark&password=tidemark HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(sql), sql)
        )
        answer = b""
        while piece := client.recv(1 << 20):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"__exception__" in answer[-100:]
    assert b"Code: 395" in answer[-600:]
    assert not answer.endswith(b"0\r\n\r\n")


def test_who_waits_for_the_end_gets_the_errors_own_status(warehouse: WarehouseProcess) -> None:
    sql = "select throwIf(number = {at:UInt64}), number from numbers(3000000)"
    reply = warehouse.ask(sql, wait_end_of_query="1", param_at="2900000")
    assert (reply.status, reply.code) == (500, "395")
    reply = warehouse.ask(sql, wait_end_of_query="1", param_at="3000000")
    assert json.loads(reply.headers["x-clickhouse-summary"])["read_rows"] == "3000000"
    assert reply.body.count(b"\n") == 3000000


def test_sessions_keep_their_tables_to_themselves(warehouse: WarehouseProcess) -> None:
    warehouse.sql("create temporary table mine (a Int8)", session_id="s1")
    warehouse.sql("insert into mine values (1)", session_id="s1")
    assert warehouse.sql("select count() from mine", session_id="s1", session_check="1") == "1"
    assert warehouse.ask("select count() from mine", session_id="s2").code == "60"
    assert warehouse.ask("select 1", session_id="s3", session_check="1").code == "372"
    warehouse.sql("set max_threads = 1", session_id="s1")
    assert warehouse.sql("select getSetting('max_block_size')", session_id="s1", max_block_size="7") == "7"
    assert warehouse.sql(
        "select getSetting('max_block_size') != 7, getSetting('max_threads')", session_id="s1"
    ) == ("1\t1")
    warehouse.sql("select 1", session_id="s1", close_session="1")
    assert warehouse.ask("select 1", session_id="s1", session_check="1").code == "372"
    assert warehouse.ask("select 1", session_id="s1", session_timeout="99999").code == "374"


def test_a_session_serves_one_request_at_a_time(warehouse: WarehouseProcess) -> None:
    slow = threading.Thread(target=warehouse.ask, args=("select sleep(1.5)",), kwargs={"session_id": "busy"})
    slow.start()
    time.sleep(0.6)
    assert warehouse.ask("select 1", session_id="busy").code == "373"
    slow.join()
    assert warehouse.sql("select 1", session_id="busy") == "1"


def test_a_bad_setting_does_not_spoil_the_session(warehouse: WarehouseProcess) -> None:
    assert warehouse.ask("select 1", session_id="spoilt", **{"no_such = 1; select 2 --": "1"}).code == "115"
    assert warehouse.sql("select 1", session_id="spoilt") == "1"


def test_what_is_echoed_cannot_split_the_answer(warehouse: WarehouseProcess) -> None:
    assert warehouse.ask("select 1", query_id="a\r\nX-Mine: 1").code == "36"


def test_the_database_of_a_request(warehouse: WarehouseProcess) -> None:
    assert warehouse.sql("select currentDatabase()", database="dws") == "dws"
    assert warehouse.ask("select 1", headers={"X-ClickHouse-Database": "nope"}).code == "81"


def test_a_form_carries_long_parameters_and_tables(warehouse: WarehouseProcess) -> None:
    parts = {
        'name="query"': "select n, {long:String} = repeat('x', 100000) from extra",
        'name="param_long"': "x" * 100000,
        'name="extra"; filename="extra"': "1\n2\n",
    }
    body = "".join(
        f"--cut\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}\r\n" for head, text in parts.items()
    )
    reply = warehouse.ask(
        body + "--cut--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=cut"},
        extra_structure="n Int8",
        extra_format="TSV",
    )
    assert reply.text == "1\t1\n2\t1\n"


def test_a_client_that_leaves_takes_its_statement_along(warehouse: WarehouseProcess) -> None:
    sql = b"select sum(sin(number)) from numbers(1000000000000)"
    running = "select countIf(query ilike 'select sum(sin%') from system.processes"
    with socket.create_connection(("127.0.0.1", warehouse.port)) as client:
        client.sendall(
            b"POST /?user=tidemark&password=tidemark&query_id=leaver HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(sql), sql)
        )
        _until(lambda: warehouse.sql(running) == "1")
    _until(lambda: warehouse.sql(running) == "0")


def _until(condition: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
