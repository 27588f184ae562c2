"""What can be judged in a statement's text: its characters as it is sent, its words as it is printed.

A printed statement has every identifier in quotes, so each bare word in it is a keyword, a type, a unit or a
function's name, whatever kind of node it was printed from.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from sqlglot.tokenizer_core import Token, TokenType

from warehouse.errors import GuardError
from warehouse.guard_lexicon import Lexicon

_QUOTED = {TokenType.STRING, TokenType.RAW_STRING, TokenType.IDENTIFIER}
_ODD_QUOTING = {
    TokenType.BIT_STRING,
    TokenType.BYTE_STRING,
    TokenType.HEREDOC_STRING,
    TokenType.HEX_STRING,
    TokenType.NATIONAL_STRING,
    TokenType.UNICODE_STRING,
}
_BARE_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_QUOTES_IN_NAMES = frozenset('"`\\')

_PRINTED = re.compile(
    r"""\s+
    |(?P<text>'(?:[^'\\]|\\.|'')*')
    |(?P<name>"[^"`\\]+"|`[^"`\\]+`)
    |(?P<word>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
    |(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<mark>->|<=>|<>|<=|>=|!=|\|\||[-+*/%=<>(),.\[\]])""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_Word = tuple[str, str]


def check_characters(sql: str, tokens: Sequence[Token]) -> None:
    """Refuse what two parsers may read differently: odd quotes, blanks and letters outside of quotes."""
    end = 0
    for token in tokens:
        _check_between(sql[end : token.start])
        end = token.end + 1
        written = sql[token.start : end]
        if token.token_type in _ODD_QUOTING or (
            token.token_type == TokenType.RAW_STRING and written.startswith("$")
        ):
            raise GuardError(
                "clause", f"{written[:40]!r} is an unusual way to quote.", "Write a text as 'text'."
            )
        if token.token_type == TokenType.IDENTIFIER and (
            _QUOTES_IN_NAMES & set(token.text) or not token.text.isprintable()
        ):
            raise GuardError(
                "character", f"The name {token.text!r} has a quote or an unseen sign in it.", _PLAIN
            )
        if token.token_type not in _QUOTED and not written.isascii():
            raise GuardError(
                "character", f"{written!r} is not in quotes and has a sign beyond ASCII.", _PLAIN
            )
        if token.token_type == TokenType.VAR and not _BARE_NAME.fullmatch(written):
            raise GuardError("character", f"{written!r} is neither a name nor a number.", _PLAIN)
        if "\0" in written or not _is_unicode(written):
            raise GuardError("character", "A text has a character that is none.", _PLAIN)
    _check_between(sql[end:])


_PLAIN = "Use ASCII letters, signs and quotes outside of 'texts' and \"names\"."


def _check_between(blank: str) -> None:
    odd = next((one for one in blank if not one.isprintable() and one not in "\t\n\r"), "")
    if odd:
        raise GuardError("character", f"{odd!r} stands between the words.", _PLAIN)


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= one <= "\udfff" for one in text)


def leaves(tokens: Sequence[Token]) -> Counter[str]:
    """The texts, numbers, quoted names and brackets of a statement, to see whether printing loses one."""
    kinds = {*_QUOTED, TokenType.NUMBER, TokenType.L_BRACKET}
    return words(token for token in tokens if token.token_type in kinds)


def words(tokens: Iterable[Token]) -> Counter[str]:
    """All that may hold a leaf once it is printed: 'month' becomes MONTH."""
    return Counter(_leaf(token.text) for token in tokens)


def _leaf(text: str) -> str:
    """Numbers by their value, words without case."""
    try:
        return repr(float(text))
    except ValueError:
        return text.casefold()


def check_words(text: str, lexicon: Lexicon) -> None:
    """Refuse a printed statement that has a word or a sign which the lexicon does not list."""
    found = list(_found(text))
    lambdas = 0
    for at, (kind, word) in enumerate(found):
        before, after = found[at - 1][1] if at else "", found[at + 1][1] if at + 1 < len(found) else ""
        called = after == "("
        if kind == "name" and called:
            raise GuardError("function", f"{word} is called like a function.", _VALUES_ONLY)
        if kind != "word":
            continue
        folded = word.casefold().removeprefix("safe.")
        keyword = folded in lexicon.keywords
        if before == "." or (called and not keyword and not lexicon.calls(folded)):
            raise GuardError("function", f"The function {word} is not allowed.", _VALUES_ONLY)
        if not called and not keyword and folded not in lexicon.types | lexicon.units:
            raise GuardError("clause", f"The word {word} is not allowed here.", "Write one plain SELECT.")
        if called and folded in lexicon.higher_order:
            if _has_lambda(found, at + 2):
                lambdas += 1
            elif not _has_one_argument(found, at + 1):
                raise GuardError(
                    "function",
                    f"{word} is given something else than a lambda.",
                    f"Write {word}(x -> ..., array): a function's bare name is none.",
                )
    if lambdas < sum(word == "->" for _, word in found):
        raise GuardError("function", "A lambda stands outside of an array's function.", _VALUES_ONLY)


_VALUES_ONLY = "Use functions of values only."


def _found(text: str) -> Iterator[_Word]:
    end = 0
    while end < len(text):
        one = _PRINTED.match(text, end)
        if one is None:
            raise GuardError(
                "clause", f"{text[end : end + 20]!r} is not allowed here.", "Write one plain SELECT."
            )
        end = one.end()
        if one.lastgroup:
            yield one.lastgroup, one[0]


def _has_lambda(words: Sequence[_Word], at: int) -> bool:
    """Whether a lambda begins here: "x" ->, or ("x", "y") ->."""
    if words[at][1] == "(":
        at = next((one for one in range(at, len(words)) if words[one][1] == ")"), at)
    return at + 1 < len(words) and words[at + 1][1] == "->"


def _has_one_argument(words: Sequence[_Word], opening: int) -> bool:
    depth = 0
    for _, word in words[opening:]:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(word, 0)
        if depth == 0:
            return True
        if depth == 1 and word == ",":
            return False
    return False
