"""Where a statement's rows begin and where its FORMAT stands, whatever surrounds them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.warehouse_server.statements import names_a_file, split_format, split_insert

NOISE = st.sampled_from(
    [" ", "\n", "/* FORMAT CSV */ ", "-- VALUES (1)\n", "# FORMAT x\n", "\t/* ' */ ", "/* -- */\n"]
)
NAME = st.sampled_from(
    ["t", "ods.t", "`FORMAT`", '"a VALUES b"', "`it''s`", "`back\\`tick`", "db.`FORMAT x`"]
)
COLUMNS = st.sampled_from(["", "(a, b)", "(`VALUES`, `FORMAT`)", '("a)")'])
SETTINGS = st.sampled_from(["", "SETTINGS async_insert = 1", "SETTINGS log_comment = 'FORMAT CSV'"])


@given(NOISE, NAME, COLUMNS, SETTINGS, NOISE, st.binary(max_size=30))
def test_rows_begin_after_the_format_and_one_newline(
    blank: str, table: str, columns: str, settings: str, noise: str, rows: bytes
) -> None:
    head = f"{blank}INSERT{blank}INTO {table} {columns} {settings}{noise}"
    insert = split_insert(f"{head}FORMAT  Native\n".encode() + rows)
    assert insert is not None
    assert insert.format == "Native"
    assert insert.head.decode() == head
    assert insert.data_offset == len(f"{head}FORMAT  Native\n")


@given(NOISE, NAME, COLUMNS, st.binary(max_size=30))
def test_rows_of_values_begin_after_the_word(blank: str, table: str, columns: str, rows: bytes) -> None:
    head = f"insert into {table} {columns}{blank}VALUES"
    insert = split_insert(f"{head} (".encode() + rows)
    assert insert is not None
    assert (insert.format, insert.data_offset) == ("Values", len(head))


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 format CSV",
        "insert into t select a from s",
        "insert into t from infile 'x' format CSV",
        "create table values (a Int8) engine = Memory",
        "",
        "insert into t (a)",
    ],
)
def test_statements_without_inline_rows(sql: str) -> None:
    assert split_insert(sql.encode()) is None


def test_rows_for_a_select_are_marked() -> None:
    insert = split_insert(b"INSERT INTO t SELECT a FROM input('a Int8') FORMAT CSV\n1")
    assert insert is not None
    assert insert.selects


@given(
    st.sampled_from(
        ["select 1", "select ';'", "select format('{}', 1)", "(select 1)", "with 1 as format select format"]
    ),
    st.sampled_from(["", " FORMAT JSON", "\n format  JSON", " /*;*/FORMAT JSON /* ; */"]),
    st.sampled_from(["", " SETTINGS max_threads = 1", "\nSETTINGS a = 'FORMAT x', b = 2"]),
    st.sampled_from(["", ";", " ; ;\n", "-- done"]),
)
def test_a_result_is_sent_elsewhere_without_changing_what_is_asked(
    body: str, clause: str, settings: str, end: str
) -> None:
    statement = split_format((body + clause + settings + end).encode())
    named = "JSON" if clause else None
    assert statement.format == named
    into = " ".join(statement.into("/x", "TSV").decode().split())
    assert into.startswith(body)
    assert f" INTO OUTFILE '/x' TRUNCATE FORMAT {named or 'TSV'}" in into
    assert settings.strip() in into
    assert not into.endswith(";")


def test_only_the_clauses_name_files() -> None:
    assert names_a_file(b"select 1 into /* x */ Outfile 'x'")
    assert names_a_file(b"insert into t from infile 'x'")
    assert not names_a_file(b"select outfile, 'into outfile' from `into outfile` where infile = 1")
