"""Statements as the engine's own parser reads them: as a tree, as canonical text, and where rows begin."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from queue import Empty, LifoQueue
from typing import Any

from embedded.warehouse_server.errors import ENGINE_ERRORS, WarehouseServerError

Node = dict[str, Any]

# The engine's default for max_query_size, which is also how far an INSERT's own words reach before its rows.
STATEMENT_BYTES = 262_144
# The tree comes as a text far longer than the statement. A statement's own bounds are checked before.
_SETTINGS = (
    b"SET max_query_size = 1073741824, max_parser_depth = 5000, max_ast_elements = 1000000, "
    b"max_threads = 1, implicit_select = 0"
)
# A tree has at most max_ast_depth = 1000 levels, each some four objects and lists deep.
_TREE_DEPTH = 10_000
# Each $ may begin a heredoc, whose end the engine looks for to the end of the text: 10 ns for each of these.
_DOLLAR_BYTES = 1 << 26

# The trees of these cannot be had, but each is a word or two before what could stand behind FROM.
_AROUND_A_TABLE = re.compile(
    rb"(DESCRIBE TABLE|EXISTS (?:DATABASE|DICTIONARY|VIEW|(?:TEMPORARY )?TABLE)"
    rb"|SHOW CREATE (?:DATABASE|DICTIONARY|VIEW|(?:TEMPORARY )?TABLE)) (.*)",
    re.DOTALL,
)
_FROM = b"SELECT * FROM "
_NO_TREE = "does not support JSON serialization"
_WITH_ROWS = "INSERT with inline data"
_FORMAT_AT_END = re.compile(rb" FORMAT (\w+)$")
_NO_PARENTHESES = bytes.maketrans(b"", b""), b"()"

# The engine writes 1e20 as a whole number in its JSON, which it then finds too large for one.
_TREE_OF = (
    b"replaceRegexpAll(parseQueryToJSON(%s), "
    b"""'("field_type":"Float64","value":-?[0-9]{20,})([,}])', '\\\\1e0\\\\2')"""
)

# Where the words of an INSERT may end and its rows begin; the engine says which of these places it is.
_INSERT = re.compile(rb"\bINSERT\b", re.IGNORECASE)
_ROWS = re.compile(rb"\b(?:VALUES|FORMAT(?=\s+(\w+)))(?![\w$])", re.IGNORECASE)
_PLACES = 32
_SPACES_THEN_NEWLINE = re.compile(rb"[ \t\f]*;?[ \t\f]*(?:\r?\n)?")
# Where in the statement it went wrong is said; the statement in which it was parsed is not the user's.
_ASKED_IN = re.compile(r"(?:: while executing .*?|: In scope (?:WITH|SELECT) .*)(?= \([A-Z_]+\)$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Insert:
    """An INSERT whose rows follow it: `head` without FORMAT, the format's name, where the rows begin."""

    head: bytes
    format: str
    data_offset: int
    tree: Node

    @property
    def selects(self) -> bool:
        return "select" in self.tree


@dataclass(slots=True)
class Statement:
    """A statement as sent and as its tree, from which a trailing FORMAT has been taken.

    `around` are the words before a table (DESCRIBE TABLE); the tree is then that of a SELECT from it. The
    tree is empty for the few administrative statements that have none. Once printed, `body` is the tree in
    the engine's own words, and `tail` the settings that stand behind its FORMAT. `lost` says that the words
    would not be the statement.
    """

    sql: bytes
    tree: Node
    format: str | None = None
    around: bytes = b""
    body: bytes = b""
    tail: bytes = b""
    lost: str = ""

    @property
    def selects(self) -> bool:
        return not self.around and self.tree.get("type") == "SelectWithUnionQuery"

    @property
    def names_a_file(self) -> bool:
        """Whether it reads or writes a file of the server: FROM INFILE, INTO OUTFILE."""
        return any("out_file" in node or "infile" in node for node in nodes(self.tree))

    def into(self, path: str, format: str) -> bytes:
        """The printed statement with its result written to `path` by the engine."""
        return self.body + f" INTO OUTFILE '{path}' TRUNCATE FORMAT {format}".encode() + self.tail


class Parser:
    """The engine's parser and printer, for many threads.

    What is printed is parsed again and compared, so a text says what its tree says or code 48 is raised.
    Raises what the engine says of a statement that it cannot read.
    """

    def __init__(self, connect: Callable[[], Any]) -> None:
        sys.setrecursionlimit(max(sys.getrecursionlimit(), _TREE_DEPTH))
        self._connect = connect
        self._idle: LifoQueue[Any] = LifoQueue()
        # Clients insert in the same words over and over.
        self._insert = lru_cache(128)(self._tree)

    def read(self, sql: bytes, limit: int = STATEMENT_BYTES) -> Statement:
        """The one statement of a text. Raises code 62 for a longer text, none, or more than one."""
        if len(sql) > limit:
            raise WarehouseServerError(
                62, f"Syntax error: Max query size exceeded: {len(sql)} bytes, the limit is {limit}"
            )
        if sql.count(b"$") * len(sql) > _DOLLAR_BYTES:
            raise WarehouseServerError(62, "Syntax error: too many dollar signs in so long a statement")
        around = b""
        try:
            tree, printed, lost = self._tree(sql)
        except WarehouseServerError as error:
            if _WITH_ROWS in error.message:
                raise WarehouseServerError(
                    62, "Syntax error: INSERT has its rows behind VALUES, or FORMAT, blanks and a name"
                ) from None
            if _NO_TREE not in error.message:
                raise
            (canonical,) = self._ask(b"SELECT formatQuerySingleLine(%s)", sql)
            found = _AROUND_A_TABLE.fullmatch(canonical)
            if found is None:
                format = _FORMAT_AT_END.search(canonical)
                return Statement(sql, {}, format[1].decode() if format else None)
            around = found[1] + b" "
            tree, printed, lost = self._tree(_FROM + found[2])
        format_ast = tree.pop("format_ast", None)
        statement = Statement(sql, tree, format_ast["name"] if format_ast else None, around, lost=lost)
        ending = f" FORMAT {statement.format}".encode() if format_ast else b""
        if printed.endswith(ending) and "settings_ast" not in tree:
            statement.body = around + printed.removesuffix(ending).removeprefix(_FROM if around else b"")
        return statement

    def print(self, statement: Statement) -> None:
        """Fill in `body` and `tail` from the tree, if reading has not done so. Raises code 48."""
        if statement.lost:
            raise WarehouseServerError(48, f"The engine would run something else: {statement.lost}")
        if statement.body:
            return
        tree = dict(statement.tree)
        if behind := tree.pop("settings_ast", None):
            (settings,) = self._ask(b"SELECT formatQueryFromJSON(%s)", _dumps(behind))
            statement.tail = b" SETTINGS " + settings
        text = _dumps(tree)
        printed, read = self._ask(
            b"WITH formatQueryFromJSON(%s) AS printed SELECT printed, " + _TREE_OF % b"printed", text
        )
        if not _same(text, read):
            raise WarehouseServerError(48, f"The engine would run something else: {_shown(printed)}")
        statement.body = statement.around + printed.removeprefix(_FROM if statement.around else b"")

    def insert(self, head: bytes) -> Insert | None:
        """Find where an INSERT's inline rows begin; None for every other statement."""
        start = _INSERT.search(head)
        if start is None:
            return None
        for place, found in enumerate(_ROWS.finditer(head, start.end(), STATEMENT_BYTES)):
            if place == _PLACES:
                raise WarehouseServerError(
                    62,
                    f"Syntax error: none of {place} times VALUES or FORMAT is where the INSERT's rows begin",
                )
            end = found.end(1) if found[1] else found.end()
            try:
                tree, printed, _ = self._insert(head[:end])
            except WarehouseServerError:
                continue
            format = tree.get("format")
            if tree["type"] != "InsertQuery" or not format or "infile" in tree:
                continue
            if format != "Values" and (blank := _SPACES_THEN_NEWLINE.match(head, end)):
                end = blank.end()
            words = head[: found.start()]
            if format == "Values" and found[1]:
                # FORMAT may have been the table's name.
                words = printed.removesuffix(b" FORMAT Values")
            return Insert(words, format, end, tree)
        return None

    def _tree(self, sql: bytes) -> tuple[Node, bytes, str]:
        """A tree, the text printed from it, and that text again if it is not the statement."""
        tree, printed, formatted, read = self._ask(
            b"WITH %s AS q, " + _TREE_OF % b"q" + b" AS tree, formatQueryFromJSON(tree) AS printed "
            b"SELECT tree, printed, formatQuerySingleLine(q), " + _TREE_OF % b"printed",
            sql,
        )
        # The engine remembers parentheses that the tree does not need.
        kept = printed.translate(*_NO_PARENTHESES) == formatted.translate(*_NO_PARENTHESES)
        return _loads(tree), printed, "" if kept and _same(tree, read) else _shown(printed)

    def _ask(self, sql: bytes, argument: bytes) -> list[bytes]:
        quoted = argument.replace(b"\\", b"\\\\").replace(b"'", b"\\'")
        # chDB looks for Python(name) in any text, also where it is quoted, and imports pandas to serve it.
        quoted = quoted.replace(b"(", b"\\x28")
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = self._connect()
            connection.query(_SETTINGS, "Null")
        try:
            answer: bytes = connection.query(sql % (b"'%s'" % quoted), "TSVRaw").bytes()
        except ENGINE_ERRORS as error:
            known = WarehouseServerError.from_engine(error)
            raise WarehouseServerError(known.code, _ASKED_IN.sub("", known.message)) from None
        finally:
            self._idle.put(connection)
        return answer.removesuffix(b"\n").split(b"\t")


def nodes(tree: Node) -> Iterator[Node]:
    """Every object of a tree; without recursion, as a tree may be deep."""
    waiting: list[Any] = [tree]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            yield found
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)


def _dumps(tree: Node) -> bytes:
    return json.dumps(tree, ensure_ascii=False).encode("utf-8", "surrogateescape")


def _loads(text: bytes) -> Node:
    tree: Node = json.loads(text.decode("utf-8", "surrogateescape"))
    return tree


def _shown(sql: bytes) -> str:
    return sql[:1000].decode("utf-8", "replace")


def _same(tree: bytes, read: bytes) -> bool:
    # `a::T` becomes `CAST(a, 'T')`: the same function, no longer spelled as an operator.
    return tree == read or _unspelled(tree) == _unspelled(read)


def _unspelled(tree: bytes) -> Node:
    found = _loads(tree)
    for node in nodes(found):
        node.pop("is_operator", None)
    return found
