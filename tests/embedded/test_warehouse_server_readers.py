"""What the read-only user tries, and what it gets."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from embedded.warehouse_server import access
from warehouse_process import WarehouseProcess

READONLY, DENIED, SYNTAX, NOT_IMPLEMENTED, SETTING = "164", "497", "62", "48", "452"

ATTACKS = {
    READONLY: [
        "insert into ods.held values (2)",
        "insert into ods.held select 2",
        "with x as (select 2) insert into ods.held select * from x",
        "drop table ods.held",
        "truncate table ods.held",
        "alter table ods.held delete where 1",
        "delete from ods.held where 1",
        "rename table ods.held to ods.gone",
        "detach table ods.held",
        "create table ods.mine (a Int8) engine = Memory",
        "create temporary table mine (a Int8)",
        "create function mine as x -> x",
        "create user mine",
        "grant all on *.* to default",
        "set readonly = 0",
        "set max_execution_time = 0",
        "kill query where 1",
        "system shutdown",
        "use ods",
        "backup table ods.held to File('x')",
        "begin transaction",
        "select 1 parallel with drop table ods.held",
        "insert into ods.held from infile '/etc/passwd' format CSV",
    ],
    SETTING: [
        "select 1 settings readonly = 0",
        "select 1 settings max_execution_time = 0",
        "select * from (select 1 settings max_execution_time = 0)",
    ],
    DENIED: [
        "select * from url('http://127.0.0.1:1/', 'CSV', 'a Int8')",
        "select * from file('/etc/passwd', 'LineAsString')",
        "select file('/etc/passwd')",
        "select FILE('users.xml')",
        "select `file`('/etc/passwd')",
        r"select `\x66ile`('/etc/passwd')",
        "with file('/etc/passwd') as x select x",
        "select arrayMap(x -> file(x), ['/etc/passwd'])",
        "select 1 limit length(file('/etc/passwd'))",
        "explain select file('/etc/passwd')",
        "describe (select file('/etc/passwd'))",
        "select 1 union all select length(file('/etc/passwd'))",
        "select * from values('a String', file('/etc/passwd'))",
        "select * from s3('http://bucket.s3.amazonaws.com/key', 'CSV')",
        "select * from remote('127.0.0.1:9000', system.one)",
        "select * from mysql('a:1', 'b', 'c', 'd', 'e')",
        "select * from sqlite('x', 'y')",
        "select * from executable('id', 'TSV', 'a String')",
        "select * from Python(os)",
        "select aiGenerate('x')",
        "select * from system.users",
    ],
    SYNTAX: [
        "select 1; drop table ods.held",
        "select 1;-- x\ndrop table ods.held",
        "select 1\0; drop table ods.held",
        "explain (drop table ods.held)",
    ],
    NOT_IMPLEMENTED: ["select 1 into outfile 'stolen'"],
}


@pytest.fixture(scope="module")
def held(warehouse: WarehouseProcess) -> WarehouseProcess:
    warehouse.sql("create or replace table ods.held (a Int8) engine = MergeTree order by a")
    warehouse.sql("insert into ods.held values (1)")
    return warehouse


@pytest.mark.parametrize(("code", "sql"), [(code, sql) for code, group in ATTACKS.items() for sql in group])
def test_an_attack_is_refused_and_leaves_no_trace(held: WarehouseProcess, code: str, sql: str) -> None:
    reply = held.ask(sql, user="reader")
    assert (reply.code, reply.status >= 400) == (code, True), reply.text
    assert "root:" not in reply.text
    assert held.sql("select sum(a), count() from ods.held") == "1\t1"


def test_the_parts_around_a_statement_carry_no_second_one(held: WarehouseProcess) -> None:
    for name in ("TSV; drop table ods.held", "TSV settings readonly = 0", "TSV into outfile 'x'"):
        assert held.ask("select 1", user="reader", default_format=name).code == "73"
    assert held.ask("select 1", user="reader", database="ods`; drop table ods.held --").code == "81"
    assert held.ask("select 1", user="reader", **{"max_threads = 1, readonly": "0"}).code == SETTING
    assert held.ask("select 1", user="reader", max_threads="1', readonly = '0").status >= 400
    assert held.ask("select 1", user="reader", additional_result_filter="file('x') = ''").code == "452"
    assert held.ask("print 1", user="reader", dialect="kusto").code == "452"
    form = (
        '--cut\r\nContent-Disposition: form-data; name="x"; filename="x"\r\n\r\n1\r\n--cut\r\n'
        'Content-Disposition: form-data; name="query"\r\n\r\nselect 1\r\n--cut--\r\n'
    )
    headers = {"Content-Type": "multipart/form-data; boundary=cut"}
    structure = "a Int8) engine = Memory; drop table ods.held; --"
    assert held.ask(form, user="reader", headers=headers, x_structure=structure).code == READONLY
    assert held.sql("select sum(a), count() from ods.held") == "1\t1"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select a from ods.held format JSONEachRow", '{"a":1}'),
        ("with 1 as x select x", "1"),
        ("(select 1) union all (select 1)", "1\n1"),
        ("from numbers(1) select *", "0"),
        ("exists table ods.held", "1"),
        ("describe (select a from ods.held) format TSVRaw", "a\tInt8"),
        ("select a, ‘file’ from ods.held settings max_threads = 1", "1\tfile"),
        ("show tables from ods where name = 'held'", "held"),
    ],
)
def test_reading_works(held: WarehouseProcess, sql: str, expected: str) -> None:
    reply = held.ask(sql, user="reader")
    assert reply.text.strip() == expected


def test_bytes_that_are_no_text_end_in_the_engine_s_own_error(warehouse: WarehouseProcess) -> None:
    assert warehouse.ask("select arrayReduce('a\0b', [1])", user="reader").code == "63"
    assert warehouse.ask(b"select \xff", user="reader").code == SYNTAX
    assert warehouse.ask(b"select `\xff`('x')", user="reader").code == DENIED


def test_limits_are_tightened_never_loosened(warehouse: WarehouseProcess) -> None:
    def limit(**asked: str) -> str:
        reply = warehouse.ask("select getSetting('max_execution_time')", user="reader", **asked)
        return reply.code or reply.text.strip()

    assert limit() == "60"
    assert limit(max_execution_time="5") == "5"
    assert limit(max_execution_time="61") == limit(max_execution_time="0") == "452"
    assert (
        limit(max_execution_time="-1")
        == limit(max_execution_time="nan")
        == limit(max_result_rows="0")
        == "452"
    )
    assert limit(max_execution_time="1e-7") == limit(max_execution_time="0.9") == "452"
    assert (
        limit(max_parser_depth="0") == limit(max_query_size="0") == limit(output_format_schema="x") == "452"
    )
    assert limit(readonly="0") == "452"
    assert warehouse.ask("select getSetting('readonly')", user="reader", readonly="2").text.strip() == "1"


def test_a_subquery_cannot_outlive_the_limit(warehouse: WarehouseProcess) -> None:
    slow = (
        "select * from (select sum(sleepEachRow(0.5)) from numbers(12) "
        "settings max_execution_time = 60, max_block_size = 1)"
    )
    # Too slow already, or too slow by the engine's estimate.
    assert warehouse.ask(slow, user="reader", max_execution_time="1").code in ("159", "160")


def test_a_session_gives_a_reader_nothing_to_keep(warehouse: WarehouseProcess) -> None:
    for _ in range(2):
        assert warehouse.ask("select 1", user="reader", session_id="r", max_threads="1").text == "1\n"
    assert warehouse.ask("create temporary table t (a Int8)", user="reader", session_id="r").code == READONLY


def test_the_writer_stays_inside_the_folder_too(warehouse: WarehouseProcess) -> None:
    assert warehouse.ask("select * from url('http://127.0.0.1:1/', 'CSV', 'a Int8')").code == DENIED
    assert (
        warehouse.ask("create table ods.out (a Int8) engine = URL('http://127.0.0.1:1/', 'CSV')").code
        == DENIED
    )
    assert warehouse.ask("system shutdown").code == DENIED
    assert "root:" not in warehouse.ask("select file('/etc/passwd')").text


def test_what_a_reader_may_call_is_there_and_what_is_new_is_not(warehouse: WarehouseProcess) -> None:
    """A name on the list that the engine does not know, or that means two functions, is none."""

    def engine(what: str) -> set[str]:
        return set(warehouse.sql(f"select lower({what}").split())

    lists = tomllib.loads((Path(access.__file__).parent / "reader.toml").read_text("utf-8"))
    functions, aggregates = set(lists["functions"].split()), set(lists["aggregates"].split())
    # What the parser makes of operators and clauses.
    operators = {"exists", "grouping", "lambda", "untuple"}
    assert functions - operators <= engine("name) from system.functions where not is_aggregate")
    assert aggregates <= engine("name) from system.functions where is_aggregate")
    assert set(lists["combinators"].split()) <= engine("name) from system.aggregate_function_combinators")
    assert set(lists["system_tables"].split()) <= engine("name) from system.tables where database = 'system'")
    settings = {f"'{name}'" for name in [*lists["settings"].split(), *access.READER_LIMITS]}
    unknown = f"select arrayExcept([{', '.join(settings)}], groupArray(name)) from system.settings"
    assert warehouse.sql(unknown) == "[]"
    # Functions take functions by name; `arrayMap` and its like are known to do so.
    assert {"arraymap", "arraymax", "mapapply"} <= engine("name) from system.functions where higher_order")
