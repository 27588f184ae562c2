"""The guard's judgement, statement by statement, and its promises over any text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.catalogue import Catalogue, Table
from warehouse.client import Warehouse
from warehouse.errors import GuardError
from warehouse.guard import guard

CATALOGUE = Catalogue(
    Table(*name.split("."), "", "", "", (), readable=not name.startswith("ods."))
    for name in ("dwd.dwd_users", "dwd.dwd_order_items", "ads.sales", "ods.raw")
)

REFUSED = {
    "empty": ["", "  ", ";", "-- only a note"],
    "many_statements": ["SELECT 1; SELECT 2", "SELECT 1; DROP TABLE ads.sales", "SELECT 1;;SYSTEM SHUTDOWN"],
    "not_a_select": [
        "INSERT INTO ads.sales SELECT 1",
        "DROP TABLE ads.sales",
        "ALTER TABLE ads.sales DELETE WHERE 1",
        "CREATE TABLE x (a Int8) ENGINE = Memory",
        "TRUNCATE TABLE ads.sales",
        "SYSTEM SHUTDOWN",
        "SET readonly = 0",
        "EXPLAIN SELECT 1",
        "DESCRIBE ads.sales",
        "SHOW TABLES",
        "USE system",
        "GRANT ALL ON *.* TO reader",
    ],
    "syntax": [
        "SELEC 1",
        "SELECT 1 INTO OUTFILE 'x'",
        "SELECT (1",
        "SELECT 'open",
        "SELECT 1 /* open",
        "(" * 4000,
    ],
    "clause": [
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT 1 FORMAT JSON",
        "SELECT * FROM (SELECT 1 SETTINGS max_threads = 1)",
        "WITH a AS (SELECT 1 SETTINGS max_threads = 1) SELECT * FROM a",
        "SELECT 1 IN system.users",
        "SELECT * FROM ads.sales WHERE a IN (system.users)",
        "SELECT * FROM ads.sales WHERE a NOT IN ((users))",
        "SELECT * FROM ads.sales WHERE a GLOBAL IN `system`.users",
    ],
    "parameter": ["SELECT {a:String}", "SELECT * FROM {t:Identifier}"],
    "table_function": [
        "SELECT * FROM url('http://x', 'CSV')",
        "SELECT * FROM numbers(10)",
        "SELECT * FROM remote('h', 'system.users')",
        "SELECT * FROM (SELECT * FROM file('/etc/passwd'))",
        "SELECT * FROM s3('http://x')",
        "SELECT * FROM merge('system', '.*')",
        "SELECT * FROM view(SELECT 1)",
        "SELECT * FROM ads.sales JOIN executable('x', 'CSV', 'a Int8') AS e ON 1 = 1",
    ],
    "function": [
        "SELECT file('/etc/passwd')",
        "SELECT FILE('/etc/passwd')",
        "SELECT /**/`file`/**/('/etc/passwd')",
        "SELECT arrayMap(x -> file(x), ['/etc/passwd'])",
        "SELECT dictGet('a', 'b', 1)",
        "SELECT joinGet('a', 'b', 1)",
        "SELECT sleep(3)",
        "SELECT hostName()",
        "SELECT getSetting('readonly')",
        "SELECT currentUser()",
        "SELECT version()",
        "SELECT hasColumnInTable('system', 'users', 'name')",
        "SELECT aiGenerate('x')",
        "SELECT globalIn(1, system.users)",
    ],
    "system_table": [
        "SELECT * FROM system.users",
        'SELECT * FROM "System"."users"',
        "SELECT * FROM INFORMATION_SCHEMA.tables",
        "SELECT (SELECT count() FROM system.users)",
        "SELECT * FROM ads.sales, system.users",
        "SELECT * FROM ads.sales WHERE EXISTS (SELECT 1 FROM system.users)",
        "SELECT * FROM ads.sales UNION ALL SELECT * FROM system.users",
        "WITH users AS (SELECT 1) SELECT * FROM system.users",
    ],
    "unknown_table": [
        "SELECT * FROM ads.salez",
        "SELECT * FROM users",
        "SELECT * FROM other.ads.sales",
        "SELECT * FROM ads．sales",
        "WITH a AS (SELECT * FROM a) SELECT * FROM a",
        "WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a",
        "WITH 1 AS users SELECT * FROM users",
        "SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a) AS x JOIN a ON 1 = 1",
    ],
    "layer": ["SELECT * FROM ods.raw", "SELECT 1 FROM ads.sales WHERE a IN (SELECT b FROM ods.raw)"],
}


@pytest.mark.parametrize(("code", "sql"), [(code, sql) for code, each in REFUSED.items() for sql in each])
def test_refuses(code: str, sql: str) -> None:
    with pytest.raises(GuardError) as refusal:
        guard(sql, CATALOGUE)
    assert refusal.value.code == code
    assert refusal.value.remedy


ACCEPTED = {
    "SELECT 1": "SELECT 1 LIMIT 100",
    "SELECT a FROM sales;": "SELECT a FROM ads.sales LIMIT 100",
    "SELECT a FROM `ads`.`sales` -- note ; DROP": 'SELECT a FROM "ads"."sales" LIMIT 100',
    "SELECT a FROM ads.sales LIMIT 5": "SELECT a FROM ads.sales LIMIT 5",
    "SELECT a FROM ads.sales LIMIT 5000": "SELECT a FROM ads.sales LIMIT 100",
    "SELECT a FROM sales LIMIT 50 + 5000":
        "SELECT * FROM (SELECT a FROM ads.sales LIMIT 50 + 5000) AS guarded LIMIT 100",
    "SELECT a FROM sales LIMIT 2 BY a":
        "SELECT * FROM (SELECT a FROM ads.sales LIMIT 2 BY a) AS guarded LIMIT 100",
    "SELECT 1 UNION ALL SELECT 2": "SELECT * FROM (SELECT 1 UNION ALL SELECT 2) AS guarded LIMIT 100",
    "WITH a AS (SELECT 1 AS n), b AS (SELECT n FROM a) SELECT n FROM b":
        "WITH a AS (SELECT 1 AS n), b AS (SELECT n FROM a) SELECT n FROM b LIMIT 100",
    "WITH a AS (SELECT 1 AS n) SELECT n FROM (SELECT n FROM a) AS x":
        "WITH a AS (SELECT 1 AS n) SELECT n FROM (SELECT n FROM a) AS x LIMIT 100",
}  # fmt: skip


@pytest.mark.parametrize("sql", ACCEPTED)
def test_accepts_normalised(sql: str) -> None:
    assert guard(sql, CATALOGUE, max_rows=100) == ACCEPTED[sql]


def test_what_may_be_read_is_the_catalogues_to_say_and_not_a_schemas_name() -> None:
    catalogue = Catalogue([Table("analytics", "rides", "", "", "", ()), *CATALOGUE.tables.values()])
    assert guard("SELECT * FROM rides", catalogue) == guard("SELECT * FROM analytics.rides", catalogue)
    with pytest.raises(
        GuardError, match=r"ods\.raw may not be read\. Read tables of these schemas: ads, analytics"
    ):
        guard("SELECT * FROM ods.raw", catalogue)


def test_names_the_nearest_table() -> None:
    with pytest.raises(GuardError, match=r"ads\.sales"):
        guard("SELECT * FROM ads.salez", CATALOGUE)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_refused_or_becomes_one_stable_statement(text: str) -> None:
    for sql in (text, f"SELECT {text}", f"SELECT * FROM {text}", f"SELECT '{text}' FROM ads.sales"):
        try:
            accepted = guard(sql, CATALOGUE)
        except GuardError:
            continue
        assert guard(accepted, CATALOGUE) == accepted


@pytest.mark.integration
@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30))
def test_a_quoted_text_reaches_the_server_as_it_is(shop: Warehouse, text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    assert shop.query(guard(f"SELECT '{quoted}'", CATALOGUE)).rows == [(text,)]
