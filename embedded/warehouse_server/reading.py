"""What a read-only user's statement may hold: its tree is walked, and what is on no list is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping

from embedded.warehouse_server.access import IGNORED_OF_READERS, READER, bounded, reader_setting
from embedded.warehouse_server.errors import WarehouseServerError
from embedded.warehouse_server.statements import Node, Statement, nodes

READ_ONLY = "Cannot execute query in readonly mode"
NAMES_A_FILE = "INTO OUTFILE and FROM INFILE name the server's files; send rows over HTTP"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FUNCTIONS, _AGGREGATES = _words(READER["functions"]), _words(READER["aggregates"])
_COMBINATORS = _words(READER["combinators"])
_TABLE_FUNCTIONS, _SYSTEM_TABLES = _words(READER["table_functions"]), _words(READER["system_tables"])
_FORMATS = _words(READER["formats"])
_FUNCTION_KINDS, _STATEMENTS = _words(READER["function_kinds"]), _words(READER["statements"])
_EXPLAIN_SETTINGS = _words(READER["explain_settings"])
_NODES = {kind: _words(keys) for kind, keys in READER["nodes"].items()}


def judge(statement: Statement, higher_order: set[str], parameters: Mapping[str, str]) -> None:
    """Refuse what a reader may not run. `higher_order` are the functions that take another as an argument.

    Raises codes 164, 48, 452, 497.
    """
    if statement.tree.get("type") not in _STATEMENTS:
        raise WarehouseServerError(164, READ_ONLY)
    if statement.names_a_file:
        raise WarehouseServerError(48, NAMES_A_FILE)
    placed: dict[int, str] = {}
    for node in nodes(statement.tree):
        kind = node.get("type")
        if kind is None:
            continue
        allowed = _NODES.get(kind)
        if allowed is None:
            raise _denied(f"use {kind}")
        if unknown := node.keys() - allowed - {"type"}:
            raise _denied(f"use {', '.join(sorted(unknown))} of {kind}")
        # A parent comes before what stands in it.
        placed.update(
            (id(node[key]), f"{kind}.{key}") for key in ("table_function", "settings") if key in node
        )
        place = placed.get(id(node))
        if kind == "Function":
            _function(node, place == "TableExpression.table_function", higher_order)
        elif kind == "ColumnsApplyTransformer":
            _applied(node)
        elif kind in ("Identifier", "TableIdentifier"):
            _named(node)
        elif kind == "QueryParameter":
            _parameter(node, parameters)
        elif kind == "ExplainQuery":
            _explained(node)
        elif kind == "SetQuery":
            _set(node, place == "ExplainQuery.settings")


def take_settings(statement: Statement) -> dict[str, str]:
    """Take out what a judged SELECT as a whole asks for: in read-only mode the engine allows none."""
    tree, taken = statement.tree, {}
    selects = tree.get("list_of_selects", {}).get("children", [])
    for holder, key in ((selects[0] if len(selects) == 1 else {}, "settings"), (tree, "settings_ast")):
        if key in holder:
            taken.update(_settings(holder.pop(key)))
            statement.body = b""
    return {name: value for name, value in taken.items() if name not in IGNORED_OF_READERS}


def bound_settings(tree: Node) -> None:
    """Refuse settings in a statement that are beyond what anyone may ask for. Raises code 452."""
    for node in nodes(tree):
        for change in node.get("changes", ()) if node.get("type") == "SetQuery" else ():
            bounded(change["name"], str(change["value"]["value"]))


def judge_format(name: str) -> None:
    """Refuse a format that needs more than rows. Raises code 497."""
    if name.lower() not in _FORMATS:
        raise _denied(f"ask for the format {name}")


def judge_database(name: str) -> None:
    """Refuse a current database in which a bare name is a system table."""
    if name.lower() == "system":
        raise _denied("use the database system as its own; name its tables in full")


def _function(node: Node, stands_for_a_table: bool, higher_order: set[str]) -> None:
    name = node["name"].lower()
    allowed = name in _TABLE_FUNCTIONS if stands_for_a_table else _computes(name)
    if not allowed or not _words(node.get("kind", "")) <= _FUNCTION_KINDS:
        raise _denied(f"call {node['name']}")
    # `arrayMap(file, paths)` calls file: a bare name there is that of a function.
    arguments: list[Node] = node.get("arguments", {}).get("children", [])
    if name in higher_order and len(arguments) > 1 and arguments[0]["type"] == "Identifier":
        handed = arguments[0]["name"]
        if not _computes(handed):
            raise _denied(f"hand {handed or 'a parameter'} to {node['name']}; write x -> ... instead")


def _computes(name: str) -> bool:
    """Whether a function is on the list; an aggregate also with combinators, as sumIf is."""
    name = name.lower()
    return name in _FUNCTIONS or _aggregates(name)


def _aggregates(name: str) -> bool:
    return name in _AGGREGATES or any(
        name.endswith(ending) and _aggregates(name.removesuffix(ending)) for ending in _COMBINATORS
    )


def _applied(node: Node) -> None:
    if "lambda" not in node and not _computes(node.get("func_name", "")):
        raise _denied(f"apply {node.get('func_name')}")


def _named(node: Node) -> None:
    database, _, rest = ".".join(node.get("name_parts") or [node["name"]]).partition(".")
    if rest and database.lower() == "system" and rest.partition(".")[0] not in _SYSTEM_TABLES:
        raise _denied(f"read {database}.{rest}")


def _parameter(node: Node, parameters: Mapping[str, str]) -> None:
    value = parameters.get(node["name"], "")
    if node["param_type"] == "Identifier" and (
        not re.fullmatch(r"\w+(\.\w+)?", value) or value.partition(".")[0].lower() == "system"
    ):
        raise _denied(f"put {value!r} where a name belongs")


def _explained(node: Node) -> None:
    if (
        node.get("kind") not in READER["explain_kinds"]
        or node.get("query", {}).get("type") != "SelectWithUnionQuery"
    ):
        raise _denied("explain that")


def _set(node: Node, of_explain: bool) -> None:
    for name, value in _settings(node).items():
        if not of_explain:
            reader_setting(name, value)
        elif name not in _EXPLAIN_SETTINGS:
            raise _denied(f"explain with {name}")


def _settings(node: Node) -> dict[str, str]:
    found = {}
    for change in node["changes"]:
        value = change["value"]
        if set(change) != {"name", "value"} or value.get("field_type") not in ("UInt64", "String", "Bool"):
            raise WarehouseServerError(452, f"Setting {change['name']} must be a number or a text")
        found[change["name"]] = str(int(value["value"]) if value["field_type"] == "Bool" else value["value"])
    return found


def _denied(what: str) -> WarehouseServerError:
    return WarehouseServerError(497, f"A read-only user may not {what}")
