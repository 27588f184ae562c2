"""ClickHouse's numbers for what went wrong, as our errors: one map for reading and loading."""

from __future__ import annotations

import re

from clickhouse_connect.driver.exceptions import (
    DataError,
    InterfaceError,
    NotSupportedError,
    ProgrammingError,
)

from warehouse.errors import (
    AccessDeniedError,
    CancelledError,
    LimitExceededError,
    OverloadedError,
    QueryError,
    RowsRefusedError,
    TidemarkError,
    UnreachableError,
)

_LOGIN = {192, 193, 194, 195, 516}
_ACCESS = {164, 291, 497}
# Rows, bytes: the statement's own size, whatever else the server does.
_SIZE = {158, 160, 191, 307, 396}
# Time and memory. A query chose how much it asks for, and asks for as much again the next time. An insert is
# as large as its sender's batches are, and they have passed before: the server has too much else to do.
_PRESSURE = {159, 241}
_BUSY = {202, 203, 209, 210, 236, 242, 252, 279, 319, 439, 473, 999}
# Killed, by a person or by a server that goes down: the statement itself was good.
_CANCELLED = {394}
# This value cannot be in that column. In a query it is the statement's own mistake.
_VALUE = {6, 26, 27, 33, 38, 41, 53, 69, 70, 72, 117, 130, 131, 190, 321, 349, 407, 469, 675, 676}

# The driver's own refusals, before anything was sent.
_MISUSE = (DataError, InterfaceError, NotSupportedError, ProgrammingError)

# What follows the reason is of no use to a reader: the parser's long list of tokens, a stack, the version.
_MESSAGE = re.compile(
    r"DB::Exception: (?P<message>.*?)\s*"
    r"(?:Expected one of:|Stack trace:|\([A-Z0-9_]{3,}\)\s*(?:\(version|$)|\(version |$)",
    re.DOTALL,
)
_CODE = re.compile(r"\bCode: (?P<code>\d+)")
_ERRNO = re.compile(r"\[Errno \d+\] (?P<reason>[^\"')]+)")


def translated(error: Exception, url: str, user: str, *, loading: bool) -> TidemarkError:
    """The driver's error, with the server's reason alone."""
    text = str(error)
    found = _MESSAGE.search(text)
    # A failure in the middle of a stream carries its code in the text alone.
    in_text = _CODE.search(text)
    code: int | None = getattr(error, "code", None) or (int(in_text["code"]) if in_text else None)
    if code is None and not found and not isinstance(error, _MISUSE):
        cause = _ERRNO.search(text)
        return UnreachableError(
            f"The warehouse at {url} did not answer ({cause['reason'] if cause else text[:200]}). "
            "Start it, or set TIDEMARK_WAREHOUSE_URL."
        )
    message = found["message"] if found else text.splitlines()[0]
    message = " ".join(message.split()).removesuffix(".").removesuffix("FORMAT Native").rstrip(" .") + "."
    return of_code(code, message, user, loading=loading)


def of_code(code: int | None, message: str, user: str, *, loading: bool) -> TidemarkError:
    """The error that a server's number stands for, in a statement that reads or one that loads."""
    if code in _LOGIN:
        message += (
            " Set TIDEMARK_WAREHOUSE_PASSWORD and TIDEMARK_WAREHOUSE_READER_PASSWORD; "
            "`tidemark env` tells those of the embedded stack."
        )
    if code in _LOGIN | _ACCESS:
        return AccessDeniedError(f"The warehouse user {user!r} may not do this: {message}", code=code)
    if code in _BUSY or (loading and code in _PRESSURE):
        return OverloadedError(f"The warehouse cannot take this now: {message} Try again later.")
    if code in _CANCELLED:
        return CancelledError(f"The statement was ended from outside: {message} Run it again.")
    if code in _SIZE | _PRESSURE:
        return LimitExceededError(message, code=code)
    if loading and code in _VALUE:
        return RowsRefusedError(message, code=code)
    return QueryError(message, code=code)
