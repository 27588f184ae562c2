"""Cut a ClickHouse statement where the protocol needs it cut: before inline data, before FORMAT."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    rb"""(?P<blank>\s+|--[^\n]*|\#[\ !][^\n]*|/\*.*?\*/)
    |(?P<quoted>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`\\]|\\.|``)*`|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    |(?P<word>\w+)
    |(?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
)
_Word = tuple[int, str, int, int]
_SPACES_THEN_NEWLINE = re.compile(rb"[ \t\f]*;?[ \t\f]*(?:\r?\n)?")


@dataclass(frozen=True, slots=True)
class Insert:
    """An INSERT whose rows follow it: `head` without FORMAT, the format's name, where the rows begin."""

    head: bytes
    format: str
    data_offset: int
    selects: bool


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement whose trailing `FORMAT x` has been cut out; `format` is None when it named none."""

    body: bytes
    format: str | None
    tail: bytes

    def into(self, path: str, default_format: str) -> bytes:
        """The same statement with its result written to `path` by the engine."""
        target = f"\nINTO OUTFILE '{path}' TRUNCATE FORMAT {self.format or default_format}\n"
        return self.body + target.encode() + self.tail


def first_word(sql: bytes) -> str:
    """The statement's first keyword, upper case; parentheses before it are skipped."""
    for _, word, _, _ in _words(sql):
        return word
    return ""


def names_a_file(sql: bytes) -> bool:
    """Whether a statement reads or writes a file of the server: FROM INFILE, INTO OUTFILE."""
    before = ""
    for _, word, _, _ in _words(sql, marks=True):
        if (before, word) in (("FROM", "INFILE"), ("INTO", "OUTFILE")):
            return True
        before = word
    return False


def split_insert(sql: bytes) -> Insert | None:
    """Find where an INSERT's inline rows begin; None for every other statement."""
    words = _words(sql)
    if next(words, (0, "", 0, 0))[1] != "INSERT":
        return None
    selects = False
    for depth, word, start, end in words:
        if depth:
            continue
        if word in ("SELECT", "WITH"):
            selects = True
        elif word == "INFILE":
            return None
        elif word == "VALUES" and not selects:
            return Insert(sql[:start], "Values", end, False)
        elif word == "FORMAT":
            name = next(words, None)
            if name is None:
                return None
            offset = _SPACES_THEN_NEWLINE.match(sql, name[3])
            return Insert(
                sql[:start], sql[name[2] : name[3]].decode(), offset.end() if offset else name[3], selects
            )
    return None


def split_format(sql: bytes) -> Statement:
    """Cut the trailing FORMAT clause and semicolons of a statement that returns rows."""
    words = [found for found in _words(sql, marks=True) if found[1] != ";"]
    end = words[-1][3] if words else 0
    for at in range(len(words) - 2, -1, -1):
        depth, word, start, _ = words[at]
        if word != "FORMAT" or depth:
            continue
        _, _, name_start, name_end = words[at + 1]
        last = at + 2 == len(words) or words[at + 2][1] == "SETTINGS"
        if last and re.fullmatch(rb"\w+", sql[name_start:name_end]):
            return Statement(sql[:start], sql[name_start:name_end].decode(), sql[name_end:end])
    return Statement(sql[:end], None, b"")


def _words(sql: bytes, marks: bool = False) -> Iterator[_Word]:
    """Yield (depth in parentheses, upper-case word, start, end); with marks, everything but blanks."""
    depth = 0
    for token in _TOKEN.finditer(sql):
        kind = token.lastgroup
        if kind == "mark":
            depth += {b"(": 1, b"[": 1, b"{": 1, b")": -1, b"]": -1, b"}": -1}.get(token[0], 0)
        if kind == "word" or (marks and kind != "blank"):
            yield depth, token[0].decode("utf-8", "replace").upper(), token.start(), token.end()
