"""What passes the guard, read by the engine's own parser and run by the engine itself.

The guard reads by another parser than the engine. Here each statement that it accepts is parsed by the engine
(`parseQueryToJSON`): the tables and functions in that tree must be those that the guard judged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlglot import exp, parse_one

from warehouse.catalogue import Catalogue, Table
from warehouse.clickhouse import DIALECT
from warehouse.clickhouse.lexicon import CLICKHOUSE
from warehouse.client import Warehouse
from warehouse.errors import GuardError, QueryError
from warehouse.guard import guard

pytestmark = pytest.mark.integration
FIXTURES = Path(__file__).parent / "fixtures"
NAMES = ("dwd.dwd_users", "dwd.dwd_order_items", "dwd.dwd_products", "dwd.dwd_spans", "dws.time_spine")
CATALOGUE = Catalogue(
    [Table(*name.split("."), "", "", "", ()) for name in NAMES]
    + [Table("ods", "raw", "", "", "", (), readable=False)]
)
ANALYTIC = [
    line
    for line in (FIXTURES / "analytic.sql").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("-- ")
]

UNKNOWN_IDENTIFIER, SYNTAX_ERROR = 47, 62

# The engine's names for what the dialect writes as operators and keywords.
OPERATORS = {"cast", "in", "notin", "globalin", "globalnotin", "lambda", "exists", "casewithexpression"}
KINDS = {
    "ArrayJoin", "Asterisk", "ColumnsExceptTransformer", "ColumnsReplaceTransformer",
    "ColumnsReplaceTransformerReplacement", "ColumnsTransformerList", "ExpressionList", "Function",
    "Identifier", "Literal", "OrderByElement", "QualifiedAsterisk", "SelectIntersectExceptQuery",
    "SelectQuery", "SelectWithUnionQuery", "Subquery", "TableExpression", "TableIdentifier", "TableJoin",
    "TablesInSelectQuery", "TablesInSelectQueryElement", "WindowDefinition", "WindowListElement",
    "WithElement",
}  # fmt: skip


def nodes(tree: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(tree, dict):
        if "type" in tree:
            yield tree
        for value in tree.values():
            yield from nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from nodes(value)


def check_by_the_engine(sql: str, shop: Warehouse) -> None:
    """Raises `QueryError` when the engine cannot parse it, which is a refusal too."""
    quoted = sql.replace("\\", "\\\\").replace("'", "\\'")
    read = list(nodes(json.loads(shop.query(f"SELECT parseQueryToJSON('{quoted}')").rows[0][0])))
    assert {node["type"] for node in read} <= KINDS
    named = {node["name"] for node in read if node["type"] == "WithElement"}
    tables = {
        tuple(node.get("name_parts", [node["name"]])) for node in read if node["type"] == "TableIdentifier"
    }
    judged = {
        (table.db, table.name) if table.db else (table.name,)
        for table in parse_one(sql, dialect="clickhouse").find_all(exp.Table)
    }
    assert tables == judged
    assert all(".".join(table) in NAMES or (len(table) == 1 and table[0] in named) for table in tables)
    for node in read:
        if node["type"] == "Function":
            name = node["name"].casefold()
            arguments = node.get("arguments", {}).get("children", [])
            assert name in OPERATORS or CLICKHOUSE.calls(name), name
            if name in CLICKHOUSE.higher_order and len(arguments) > 1:
                assert arguments[0].get("is_lambda_function"), node
            if name.endswith("in") and name in OPERATORS:
                assert arguments[1]["type"] in ("Literal", "Subquery", "Function"), node
        assert not any(node.get(flag) for flag in ("out_file", "format", "settings", "is_outfile_truncate"))


def rows(sql: str, shop: Warehouse) -> list[str]:
    found = [repr(row) for row in shop.query(sql).rows]
    return found if "ORDER BY" in sql else sorted(found)


@pytest.mark.parametrize("sql", ANALYTIC)
def test_ordinary_analysis_gives_the_same_result_and_is_read_alike(sql: str, shop: Warehouse) -> None:
    accepted = guard(sql, CATALOGUE, DIALECT)
    unqualified = sql.replace("FROM dwd_", "FROM dwd.dwd_") if " AS (" not in sql else sql
    assert rows(accepted, shop) == rows(unqualified, shop)
    check_by_the_engine(accepted, shop)


_LEAVES = st.sampled_from(
    [
        "user_id",
        "u.user_id",
        "1",
        "2.5",
        "'a'",
        "NULL",
        "country",
        "[1, 2]",
        "(1, 2)",
        "toDate('2026-01-01')",
        "x",
    ]
)


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from(_OPERATORS), inner).map(" ".join),
        st.tuples(st.sampled_from(["NOT ", "-", "- "]), inner).map("".join),
        st.tuples(inner, st.sampled_from([" IS NULL", " IS NOT NULL", "::String", " BETWEEN 1 AND 3"])).map(
            "".join
        ),
        inner.map("({})".format),
        st.tuples(st.sampled_from(_CALLS), inner, inner).map(lambda parts: parts[0].format(*parts[1:])),
    )


_OPERATORS = [
    "+", "-", "*", "/", "%", "=", "!=", "<", ">=", "AND", "OR", "||", "LIKE", "NOT LIKE", "DIV", "==",
    "IN", "NOT IN", "GLOBAL IN", "->", "AS", "IS NOT DISTINCT FROM", ",", "? 1 :", "? 'a', 2 :",
]  # fmt: skip
_CALLS = [
    "if({0}, {1}, 0)", "coalesce({0}, {1})", "arrayMap(x -> {0}, [{1}])", "arrayMap({0}, {1})",
    "toString({0})", "CASE WHEN {0} THEN {1} END", "CASE {0} WHEN {1} THEN 1 ELSE 2 END", "{0} IN ({1})",
    "{0} IN (1, {1})", "{0}[{1}]", "sumIf({0}, {1}) OVER ()", "{0} ? {1} : 0", "INTERVAL {0} DAY + {1}",
    "file({0})", "`file`({0})", "arrayFold((acc, x) -> {0}, [1], {1})", "dictGet('a', {0}, {1})",
    "(SELECT {0} FROM system.one)", "(SELECT {0} FROM ods.raw WHERE {1})",
    "{0} IN (SELECT {1} FROM dwd.dwd_users)", "COLUMNS({0})", "EXISTS (SELECT {0})",
    "countIf({0}) FILTER (WHERE {1})", "quantile(0.5)({0})", "map({0}, {1})", "{0}.1",
    "arrayFilter({0}, [{1}])", "extract({0}, 'a')", "EXTRACT(DAY FROM {0})", "substring({0}, {1})",
    "{0} IN {1}", "{0} NOT IN ({1})", "trim(BOTH 'a' FROM {0})", "position({0}, {1})",
    "CAST({0}, 'Int8')", "CAST({0} AS Int8)", "[{0}, {1}]", "({0}, {1})", "dateDiff('day', {0}, {1})",
    "toStartOfMonth({0})", "greatest({0}, {1})", "not({0})",
]  # fmt: skip
EXPRESSIONS = st.recursive(_LEAVES, _grow, max_leaves=7)
_TAILS = [
    "", " LIMIT 3", " LIMIT 1, 3", " LIMIT 1 BY user_id", " ORDER BY 1", " ORDER BY 1 LIMIT 2", " OFFSET 2",
    " UNION ALL SELECT 1", " GROUP BY ALL", " WITH TOTALS", " SETTINGS max_threads = 1", " FORMAT CSV",
]  # fmt: skip


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(EXPRESSIONS, EXPRESSIONS, st.sampled_from(_TAILS))
def test_what_passes_is_read_alike_and_means_the_same(
    shop: Warehouse, column: str, condition: str, tail: str
) -> None:
    """Statements grown from a grammar, more than half of them nonsense to the engine or refused."""
    sql = f"SELECT {column} FROM dwd.dwd_users AS u WHERE {condition}{tail}"
    try:
        accepted = guard(sql, CATALOGUE, DIALECT)
    except GuardError:
        return
    try:
        check_by_the_engine(accepted, shop)
        before = sorted(repr(row) for row in shop.query(sql).rows)
    except QueryError:
        return
    assert sorted(repr(row) for row in shop.query(accepted).rows) == before


def test_only_listed_functions_take_a_function_by_its_name(shop: Warehouse) -> None:
    """A bare name is taken for a function where the engine expects one: each such place must be known."""
    taken = set()
    for name in (CLICKHOUSE.functions | CLICKHOUSE.aggregates) - {"groupconcat"}:  # its second is a text
        try:
            shop.query(f"SELECT {name}(upper, ['a'])")
        except QueryError as error:
            if error.code in (UNKNOWN_IDENTIFIER, SYNTAX_ERROR):
                continue
        taken.add(name)
    assert taken == set()


def test_every_listed_function_is_one_that_the_engine_has(shop: Warehouse) -> None:
    known = {str(row[0]).casefold() for row in shop.query("SELECT name FROM system.functions").rows}
    missing = (CLICKHOUSE.functions | CLICKHOUSE.higher_order | CLICKHOUSE.aggregates) - known
    assert missing <= WRITTEN_BY_THE_PARSER


# Names that the engine's parser turns into others; it does not list them.
WRITTEN_BY_THE_PARSER = {
    "date_add", "date_sub", "dateadd", "datesub", "grouping", "maxmap", "minmap", "summap", "timestamp_add",
    "timestamp_sub", "timestampadd", "timestampsub",
}  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30))
def test_a_quoted_text_reaches_the_server_as_it_is(shop: Warehouse, text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    assert shop.query(guard(f"SELECT '{quoted}'", CATALOGUE, DIALECT)).rows == [(text,)]
