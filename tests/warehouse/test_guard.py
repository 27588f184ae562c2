"""The guard's judgement, statement by statement, and its promises over any text, tree and function."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp, parse_one
from sqlglot.dialects import Dialect as Language

from warehouse.bigquery.dialect import DIALECT as BIGQUERY
from warehouse.catalogue import Catalogue, Table
from warehouse.clickhouse import DIALECT as CLICKHOUSE
from warehouse.dialect import Dialect
from warehouse.errors import GuardError
from warehouse.guard import guard
from warehouse.guard_lexicon import NODES

FIXTURES = Path(__file__).parent / "fixtures"
NAMES = (
    "dwd.dwd_users",
    "dwd.dwd_order_items",
    "dwd.dwd_products",
    "dwd.dwd_spans",
    "dws.time_spine",
    "ads.sales",
    "ods.raw",
)
CATALOGUE = Catalogue(
    Table(*name.split("."), "", "", "", (), readable=not name.startswith("ods.")) for name in NAMES
)


def hostile() -> Iterator[tuple[str, str]]:
    for group in yaml.safe_load((FIXTURES / "hostile.yaml").read_text(encoding="utf-8")):
        for sql in group["sql"]:
            yield group["code"], sql


def analytic() -> list[str]:
    lines = (FIXTURES / "analytic.sql").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("-- ")]


@pytest.mark.parametrize(("code", "sql"), list(hostile()))
def test_refuses(code: str, sql: str) -> None:
    with pytest.raises(GuardError) as refusal:
        guard(sql, CATALOGUE, CLICKHOUSE)
    assert refusal.value.code == code
    assert refusal.value.remedy


@pytest.mark.parametrize(
    ("code", "sql"),
    [
        ("empty", ""),
        ("empty", "  "),
        ("empty", ";"),
        ("empty", "-- only a note"),
        ("too_long", "SELECT " + "1 + " * 20_000 + "1"),
        ("syntax", "(" * 4000),
        ("syntax", "SELECT " + "abs(" * 400 + "1" + ")" * 400),
        ("syntax", "SELECT " + "NOT " * 4000 + "1"),
        ("character", "SELECT '\ud800'"),
    ],
)
def test_refuses_what_is_no_statement(code: str, sql: str) -> None:
    with pytest.raises(GuardError) as refusal:
        guard(sql, CATALOGUE, CLICKHOUSE)
    assert refusal.value.code == code


def test_the_corpora_are_wide() -> None:
    assert len({sql for _, sql in hostile()}) >= 500
    assert len(set(analytic())) >= 200


def one_line(sql: str) -> str:
    return re.sub(r"\s+", " ", sql).replace("( ", "(").replace(" )", ")")


ACCEPTED = {
    "SELECT 1": "SELECT 1 LIMIT 100",
    "SELECT a FROM sales;": 'SELECT "a" FROM "ads"."sales" LIMIT 100',
    "SELECT a FROM `ads`.`sales` -- note ; DROP": 'SELECT "a" FROM "ads"."sales" LIMIT 100',
    "SELECT a FROM ads.sales -- 备注": 'SELECT "a" FROM "ads"."sales" LIMIT 100',
    "SELECT a FROM ads.sales LIMIT 5": 'SELECT "a" FROM "ads"."sales" LIMIT 5',
    "SELECT a FROM ads.sales LIMIT 5000": 'SELECT "a" FROM "ads"."sales" LIMIT 100',
    "SELECT a FROM ads.sales LIMIT 7, 5000": 'SELECT "a" FROM "ads"."sales" LIMIT 100 OFFSET 7',
    "SELECT a FROM ads.sales OFFSET 7": 'SELECT "a" FROM "ads"."sales" LIMIT 100 OFFSET 7',
    "SELECT a FROM sales LIMIT 2 BY a":
        'SELECT * FROM (SELECT "a" FROM "ads"."sales" LIMIT 2 BY "a") AS "guarded" LIMIT 100',
    "SELECT 1 UNION ALL SELECT 2": 'SELECT * FROM (SELECT 1 UNION ALL SELECT 2) AS "guarded" LIMIT 100',
    # ClickHouse gives this LIMIT to the second SELECT alone.
    "SELECT a FROM sales UNION ALL SELECT 1 LIMIT 1":
        'SELECT * FROM (SELECT "a" FROM "ads"."sales" UNION ALL SELECT 1 LIMIT 1) AS "guarded" LIMIT 100',
    "(SELECT a FROM sales) UNION ALL (SELECT 1)":
        'SELECT * FROM ((SELECT "a" FROM "ads"."sales") UNION ALL (SELECT 1)) AS "guarded" LIMIT 100',
    "WITH a AS (SELECT 1 AS n), b AS (SELECT n FROM a) SELECT n FROM b":
        'WITH "a" AS (SELECT 1 AS "n"), "b" AS (SELECT "n" FROM "a") SELECT "n" FROM "b" LIMIT 100',
    "WITH a AS (SELECT 1 AS n) SELECT n FROM (SELECT n FROM a) AS x":
        'WITH "a" AS (SELECT 1 AS "n") SELECT "n" FROM (SELECT "n" FROM "a") AS "x" LIMIT 100',
    "WITH sales AS (SELECT a FROM sales) SELECT a FROM sales":
        'WITH "sales" AS (SELECT "a" FROM "ads"."sales") SELECT "a" FROM "sales" LIMIT 100',
    "SELECT arrayMap(file -> upper(file), [1])":
        'SELECT arrayMap("file" -> upper("file"), [1]) LIMIT 100',
}  # fmt: skip


@pytest.mark.parametrize("sql", ACCEPTED)
def test_accepts_normalised(sql: str) -> None:
    assert one_line(guard(sql, CATALOGUE, CLICKHOUSE, max_rows=100)) == ACCEPTED[sql]


@pytest.mark.parametrize("sql", analytic())
def test_accepts_ordinary_analysis_and_what_it_printed(sql: str) -> None:
    accepted = guard(sql, CATALOGUE, CLICKHOUSE)
    assert guard(accepted, CATALOGUE, CLICKHOUSE) == accepted


ANALYTIC_BIGQUERY = [
    "SELECT COUNT(*), COUNTIF(a > 1), SUM(IF(a > 1, 1, 0)), APPROX_COUNT_DISTINCT(b) FROM ads.sales",
    "SELECT ARRAY_AGG(d ORDER BY e LIMIT 3), STRING_AGG(x, ','), ANY_VALUE(c), LOGICAL_OR(a) FROM ads.sales",
    "SELECT DATE_TRUNC(d, MONTH), DATE_DIFF(a, b, DAY), DATE_ADD(d, INTERVAL 1 DAY) FROM ads.sales",
    "SELECT TIMESTAMP_TRUNC(ts, HOUR), EXTRACT(YEAR FROM d), FORMAT_DATE('%Y', d) FROM ads.sales",
    "SELECT PARSE_DATE('%Y', s), CURRENT_DATE(), CURRENT_TIMESTAMP(), DATE '2026-01-01' FROM ads.sales",
    "SELECT DATETIME_TRUNC(x, WEEK(MONDAY)), TIMESTAMP '2026-01-01 00:00:00', DATE(ts) FROM ads.sales",
    "SELECT SAFE_DIVIDE(a, b), ROUND(a, 2), SAFE_CAST(a AS INT64), MOD(a, 2), DIV(a, 2) FROM ads.sales",
    r"SELECT REGEXP_EXTRACT(a, r'\d+'), REGEXP_CONTAINS(a, r'x'), SPLIT(a, ','), a || b FROM ads.sales",
    "SELECT JSON_VALUE(a, '$.x'), TO_JSON_STRING(a), TRIM(a), STRPOS(a, 'x'), SUBSTR(a, 1, 2) FROM ads.sales",
    "SELECT APPROX_QUANTILES(a, 100)[OFFSET(50)], arr[SAFE_OFFSET(1)], [1, 2][OFFSET(0)] FROM ads.sales",
    "SELECT a, LAG(a) OVER (ORDER BY b), RANK() OVER (PARTITION BY a ORDER BY c DESC) FROM ads.sales",
    "SELECT a FROM ads.sales QUALIFY ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) = 1",
    "SELECT a FROM ads.sales WHERE a IN UNNEST([1, 2]) AND b IN (SELECT b FROM ads.sales)",
    "SELECT x, o FROM ads.sales, UNNEST(arr) AS x WITH OFFSET AS o",
    "SELECT * EXCEPT (a) FROM ads.sales GROUP BY ROLLUP (a)",
    "SELECT a FROM `ads.sales` UNION ALL SELECT b FROM `ads`.`sales` ORDER BY 1 LIMIT 5",
    "WITH a AS (SELECT 1 AS n) SELECT n, NET.HOST('x'), SAFE.PARSE_DATE('%Y', 'x') FROM a",
]


@pytest.mark.parametrize("sql", ANALYTIC_BIGQUERY)
def test_accepts_ordinary_analysis_in_bigquery(sql: str) -> None:
    accepted = guard(sql, CATALOGUE, BIGQUERY)
    assert guard(accepted, CATALOGUE, BIGQUERY) == accepted


BIGQUERY_REFUSED = {
    "function": [
        "SELECT AI.GENERATE('x')",
        "SELECT AI.CLASSIFY('x', ['y'])",
        "SELECT `AI`.GENERATE('x')",
        "SELECT KEYS.NEW_KEYSET('AEAD_AES_GCM_256')",
        "SELECT AEAD.DECRYPT_STRING(a, b, c) FROM ads.sales",
        "SELECT DETERMINISTIC_ENCRYPT(a, b, c) FROM ads.sales",
        "SELECT NET.IP_FROM_STRING('127.0.0.1')",
        "SELECT SESSION_USER()",
        "SELECT ERROR('x')",
        "SELECT my_dataset.my_function(1)",
        "SELECT `p.d.f`(1)",
        "SELECT OBJ.FETCH_METADATA(a) FROM ads.sales",
        "SELECT ML.DISTANCE([1.0], [1.0])",
        "SELECT LLM('x')",
    ],
    "table_function": [
        "SELECT * FROM AI.FORECAST(TABLE ads.sales, data_col => 'a', timestamp_col => 'b')",
        "SELECT * FROM EXTERNAL_QUERY('c', 'SELECT 1')",
        "SELECT * FROM VECTOR_SEARCH(TABLE ads.sales, 'c', TABLE ads.sales)",
        "SELECT * FROM my_dataset.my_function(1)",
    ],
    "unknown_table": [
        "SELECT * FROM INFORMATION_SCHEMA.TABLES",
        "SELECT * FROM ads.INFORMATION_SCHEMA.TABLES",
        "SELECT GENERATE_TEXT('x')",
        "SELECT SAFE.GENERATE_TEXT('x')",
    ],
    "syntax": [
        "SELECT AI.GENERATE_BOOL(prompt => 'x', connection_id => 'y')",
        "SELECT * FROM APPENDS(TABLE ads.sales, NULL, NULL)",
        "SELECT * FROM GAP_FILL(TABLE ads.sales)",
        "SELECT WITH DIFFERENTIAL_PRIVACY a FROM ads.sales",
    ],
    "parameter": ["SELECT @p", "SELECT ?", "SELECT @@project_id"],
    "clause": [
        "SELECT a FROM ads.sales WHERE a BETWEEN 1 AND 3 NOT LIKE NULL",
        "SELECT a FROM ads.sales TABLESAMPLE SYSTEM (10 PERCENT)",
        "SELECT a FROM ads.sales FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()",
        "SELECT AS STRUCT 1 AS a",
        "SELECT b'x'",
        "SELECT KEYS.KEYSET_CHAIN('gcp-kms://x', b'x')",
    ],
    "not_a_select": ["EXPORT DATA OPTIONS (uri = 'gs://x') AS SELECT 1", "CALL x()", "DECLARE x INT64"],
}


@pytest.mark.parametrize(
    ("code", "sql"), [(code, sql) for code, each in BIGQUERY_REFUSED.items() for sql in each]
)
def test_refuses_in_bigquery(code: str, sql: str) -> None:
    with pytest.raises(GuardError) as refusal:
        guard(sql, CATALOGUE, BIGQUERY)
    assert refusal.value.code == code


def test_what_may_be_read_is_the_catalogues_to_say_and_not_a_schemas_name() -> None:
    catalogue = Catalogue([Table("analytics", "rides", "", "", "", ()), *CATALOGUE.tables.values()])
    qualified = guard("SELECT * FROM analytics.rides", catalogue, CLICKHOUSE)
    assert guard("SELECT * FROM rides", catalogue, CLICKHOUSE) == qualified
    with pytest.raises(
        GuardError, match=r"ods\.raw may not be read\. Read tables of these schemas: ads, analytics"
    ):
        guard("SELECT * FROM ods.raw", catalogue, CLICKHOUSE)


def test_names_the_nearest_table() -> None:
    with pytest.raises(GuardError, match=r"ads\.sales"):
        guard("SELECT * FROM ads.salez", CATALOGUE, CLICKHOUSE)


_ARGUMENTS = ("", "a", "'a', b", "a, b, c")


@pytest.mark.parametrize("dialect", [CLICKHOUSE, BIGQUERY], ids=lambda one: one.name)
def test_every_function_that_the_parser_knows_is_listed_or_refused(dialect: Dialect) -> None:
    lexicon = dialect.guard
    parser = Language.get_or_raise(dialect.name).parser_class
    for name in {
        *exp.FUNCTION_BY_NAME,
        *parser.FUNCTIONS,
        *parser.FUNCTION_PARSERS,
        *parser.NO_PAREN_FUNCTION_PARSERS,
    }:
        for arguments in _ARGUMENTS:
            try:
                accepted = guard(f"SELECT {name}({arguments}) FROM ads.sales", CATALOGUE, dialect)
            except GuardError:
                continue
            called = re.findall(r"([\w.]+)\(", accepted)
            assert all(lexicon.calls(one) for one in called if one.casefold() not in lexicon.keywords), (
                accepted
            )


_A = exp.column("a")


def _kinds(kind: type[exp.Expr]) -> Iterator[type[exp.Expr]]:
    for one in kind.__subclasses__():
        yield one
        yield from _kinds(one)


@pytest.mark.parametrize("dialect", [CLICKHOUSE, BIGQUERY], ids=lambda one: one.name)
def test_every_kind_of_node_is_listed_or_refused(dialect: Dialect) -> None:
    """Statements are printed from the parser's own register of classes, whatever each one takes."""
    statements = set()
    for kind in _kinds(exp.Expr):
        with contextlib.suppress(Exception):
            node = kind(**{name: [_A] if name == "expressions" else _A for name in kind.arg_types})
            statements.add(exp.select(node).from_("ads.sales").sql(dialect.name))
    assert len(statements) > 700
    accepted = []
    for sql in statements:
        with contextlib.suppress(GuardError):
            accepted.append(guard(sql, CATALOGUE, dialect))
    kinds = {type(node).__name__ for sql in accepted for node in parse_one(sql, dialect=dialect.name).walk()}
    assert kinds <= NODES


def test_every_listed_node_is_one_that_the_parser_has() -> None:
    assert {kind.__name__ for kind in _kinds(exp.Expr)} >= NODES


@settings(max_examples=150)
@given(st.text(max_size=60))
def test_any_text_is_refused_or_becomes_one_stable_statement(text: str) -> None:
    for sql in (text, f"SELECT {text}", f"SELECT * FROM {text}", f"SELECT '{text}' FROM ads.sales"):
        try:
            accepted = guard(sql, CATALOGUE, CLICKHOUSE)
        except GuardError:
            continue
        assert guard(accepted, CATALOGUE, CLICKHOUSE) == accepted
