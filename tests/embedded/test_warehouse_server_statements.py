"""Statements as the engine reads them: where rows begin, what is printed, what has no one reading."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedded.warehouse_server.errors import WarehouseServerError
from embedded.warehouse_server.statements import Parser

NOISE = st.sampled_from(
    [
        *(" ", "\n", "\u00a0", "\u3000\t", "/* FORMAT CSV */ ", "/* /* VALUES */ ' */", "-- VALUES (1)\n"),
        *("# FORMAT x\n", "\t/* ' */ ", "/* -- */\n"),
    ]
)
NAME = st.sampled_from(
    [
        *("t", "ods.t", "`FORMAT`", '"a VALUES b"', "`it''s`", "`back\\`tick`", "db.`FORMAT x`"),
        *("“a VALUES”", "a$$values", "format", "values"),
    ]
)
COLUMNS = st.sampled_from(["", "(a, b)", "(`VALUES`, `FORMAT`)", '("a)")', "(“a)”, format)"])
SETTINGS = st.sampled_from(
    [
        "",
        "SETTINGS async_insert = 1",
        "SETTINGS log_comment = 'FORMAT CSV'",
        "SETTINGS log_comment = ‘VALUES’",
    ]
)
ENGINE = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture(scope="module")
def parser() -> Iterator[Parser]:
    chdb = import_module("chdb._chdb")
    keeper = chdb.connect(":memory:")
    yield Parser(lambda: chdb.connect(":memory:"))
    keeper.close()


@ENGINE
@given(NOISE, NAME, COLUMNS, SETTINGS, NOISE, st.binary(max_size=30))
def test_rows_begin_after_the_format_and_one_newline(
    parser: Parser, blank: str, table: str, columns: str, settings: str, noise: str, rows: bytes
) -> None:
    head = f"{blank}INSERT{blank}INTO {table} {columns} {settings}{noise} FORMAT  Native\n"
    insert = parser.insert(head.encode() + rows)
    assert insert is not None
    assert (insert.format, insert.data_offset) == ("Native", len(head.encode()))
    # What is sent on is another spelling of the same.
    again = parser.insert(insert.head + b" FORMAT Native")
    assert again is not None
    assert again.tree == insert.tree


@ENGINE
@given(NOISE, NAME, COLUMNS, st.binary(max_size=30))
def test_rows_of_values_begin_after_the_word(
    parser: Parser, blank: str, table: str, columns: str, rows: bytes
) -> None:
    head = f"insert into {table} {columns}{blank} VALUES".encode()
    insert = parser.insert(head + b" (" + rows)
    assert insert is not None
    assert (insert.format, insert.data_offset) == ("Values", len(head))


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 format CSV",
        "select 'insert into t values (1)'",
        "insert into t select a from s",
        "insert into t select * from values('a Int8', 1)",
        "insert into t from infile 'x' format CSV",
        "create table values (a Int8) engine = Memory",
        "create view v as select 'insert' from values('a Int8', 1)",
        "explain insert into t values (1)",
        "select 1; insert into t values (1)",
        "",
        "insert into t (a)",
    ],
)
def test_statements_without_inline_rows(parser: Parser, sql: str) -> None:
    assert parser.insert(sql.encode()) is None


def test_rows_for_a_select_are_marked(parser: Parser) -> None:
    insert = parser.insert(b"INSERT INTO t SELECT a FROM input('a Int8') FORMAT CSV\n1")
    assert insert is not None
    assert insert.selects


def test_an_insert_whose_rows_are_nowhere_ends_in_an_error(parser: Parser) -> None:
    with pytest.raises(WarehouseServerError, match="where the INSERT's rows begin"):
        parser.insert(b"insert into t (" + b"values, " * 1000)


@ENGINE
@given(
    st.sampled_from(["SELECT 1", "SELECT ';'", "SELECT format('{}', 1)", "WITH 1 AS format SELECT format"]),
    st.sampled_from(
        ["", " FORMAT JSON", "\n format  JSON", " /*;*/FORMAT JSON /* ; */", "\u00a0FORMAT JSON"]
    ),
    st.sampled_from(["", " SETTINGS max_threads = 1", "\nSETTINGS log_comment = 'FORMAT x'"]),
    st.sampled_from(["", ";", " ; ;\n", "-- done"]),
)
def test_a_result_is_sent_elsewhere_without_changing_what_is_asked(
    parser: Parser, body: str, clause: str, settings: str, end: str
) -> None:
    statement = parser.read((body + clause + settings + end).encode())
    parser.print(statement)
    assert statement.selects
    assert statement.format == ("JSON" if clause else None)
    into = statement.into("/x", "TSV").decode()
    assert into.startswith(body)
    assert " INTO OUTFILE '/x' TRUNCATE FORMAT TSV" in into
    assert settings.strip() in into
    again = parser.read(into.encode())
    assert again.names_a_file
    assert again.format == "TSV"


@pytest.mark.parametrize(
    ("sql", "printed"),
    [
        ("desc t", "DESCRIBE TABLE t"),
        ("describe (select ‘a’ limit 1) format JSON", "DESCRIBE TABLE (SELECT 'a' LIMIT 1)"),
        ("exists a.b", "EXISTS TABLE a.b"),
        ("show create “a”.b", "SHOW CREATE TABLE a.b"),
        ("select a$$, 1\u00a0-- x", "SELECT `a$$`, 1"),
        ("select 1::Int8, $x$ ' $x$", "SELECT CAST('1', 'Int8'), ' \\' '"),
        ("(select 1) union all select 2", "SELECT 1 UNION ALL SELECT 2"),
    ],
)  # fmt: skip
def test_a_statement_is_printed_in_the_engine_s_words(parser: Parser, sql: str, printed: str) -> None:
    statement = parser.read(sql.encode())
    parser.print(statement)
    assert statement.body.decode() == printed


@pytest.mark.parametrize(
    "sql", ["", "-- x", "select 1; select 2", "desc t; drop table t", "select 1\0", "select ‘1'"]
)
def test_what_is_not_one_statement_is_a_syntax_error(parser: Parser, sql: str) -> None:
    with pytest.raises(WarehouseServerError) as raised:
        parser.read(sql.encode())
    assert raised.value.code == 62
    assert "parseQueryToJSON" not in raised.value.message


def test_a_statement_that_the_engine_would_print_as_another_is_refused(parser: Parser) -> None:
    statement = parser.read(b"select t.columns('a') from t")
    with pytest.raises(WarehouseServerError, match=r"would run something else: SELECT `t\.columns`"):
        parser.print(statement)


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 into /* x */ Outfile 'x'",
        "insert into t from infile 'x'",
        "desc t into outfile ‘x’",
        "show tables into outfile 'x'",
        "explain select 1 into outfile 'x'",
    ],
)
def test_files_are_seen(parser: Parser, sql: str) -> None:
    assert parser.read(sql.encode()).names_a_file


def test_only_the_clauses_name_files(parser: Parser) -> None:
    assert not parser.read(
        b"select outfile, 'into outfile' from `into outfile` where infile = 1"
    ).names_a_file


def test_a_deep_statement_is_read_or_refused(parser: Parser) -> None:
    deep = parser.read(b"select " + b"+".join([b"1"] * 480))
    parser.print(deep)
    for deeper in (
        b"+".join([b"1"] * 100_000),
        b"(" * 50_000 + b"1" + b")" * 50_000,
        b"not " * 60_000 + b"1",
    ):
        with pytest.raises(WarehouseServerError) as raised:
            parser.read(b"select " + deeper)
        assert raised.value.code in (62, 167, 306)
