"""ClickHouse error codes: how a failure is named, worded and mapped to an HTTP status."""

from __future__ import annotations

import re

_NAMES = {
    33: "CANNOT_READ_ALL_DATA",
    36: "BAD_ARGUMENTS",
    40: "CHECKSUM_DOESNT_MATCH",
    48: "NOT_IMPLEMENTED",
    62: "SYNTAX_ERROR",
    73: "UNKNOWN_FORMAT",
    115: "UNKNOWN_SETTING",
    117: "INCORRECT_DATA",
    164: "READONLY",
    165: "QUERY_IS_TOO_LARGE",
    202: "TOO_MANY_SIMULTANEOUS_QUERIES",
    216: "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING",
    306: "TOO_DEEP_RECURSION",
    372: "SESSION_NOT_FOUND",
    373: "SESSION_IS_LOCKED",
    374: "INVALID_SESSION_TIMEOUT",
    432: "UNKNOWN_CODEC",
    452: "SETTING_CONSTRAINT_VIOLATION",
    497: "ACCESS_DENIED",
    516: "AUTHENTICATION_FAILED",
    1002: "UNKNOWN_EXCEPTION",
}

# The real server's table (src/Server/HTTP/exceptionCodeToHTTPStatus.cpp); everything else is a 500.
_STATUS = {
    401: (194,),
    403: (192, 193, 497, 512, 516),
    400: (6, 8, 15, 25, 26, 27, 36, 38, 41, 44, 53, 62, 72, 117, 167, 168, 223, 321, 376, 427, 441, 675, 676),
    404: (46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 124, 336, 511),
    408: (159,),
    411: (381,),
    413: (165,),
    501: (48,),
    503: (76, 209, 439),
}
_STATUS_OF_CODE = {code: status for status, codes in _STATUS.items() for code in codes}
_NAMED = re.compile(r"\([A-Z][A-Z0-9_]+\)(?: \(version [\d.]+\))?$")
_ENGINE_ERROR = re.compile(r"Code: (\d+)\. DB::Exception: (.*)", re.DOTALL)
_WRAPPED_TWICE = re.compile(r"Code: \d+\. DB::Exception: (Code: .*) \(version [\d.]+\)\. \(\w+\)", re.DOTALL)


# What chDB raises: its own error, or, when that quotes bytes which are no text, Python's at reading it.
ENGINE_ERRORS = (RuntimeError, UnicodeDecodeError)


class WarehouseServerError(Exception):
    """A failure as the client sees it: ClickHouse's code and text."""

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        # Bytes of a statement that are no text are shown as what they are.
        message = message.encode("utf-8", "backslashreplace").decode()
        self.message = message if _NAMED.search(message) else f"{message} ({_NAMES.get(code, _NAMES[1002])})"
        super().__init__(self.message)

    @classmethod
    def from_engine(cls, error: BaseException) -> WarehouseServerError:
        """Wrap what chDB raised; its text already ends with the code's name."""
        raw = error.object if isinstance(error, UnicodeDecodeError) else None
        text = raw.decode("utf-8", "surrogateescape") if raw else str(error)
        if twice := _WRAPPED_TWICE.fullmatch(text):
            text = twice[1]
        found = _ENGINE_ERROR.search(text)
        return cls(int(found[1]), found[2].strip()) if found else cls(1002, text)

    @property
    def http_status(self) -> int:
        return _STATUS_OF_CODE.get(self.code, 500)

    def body(self, version: str) -> str:
        return f"Code: {self.code}. DB::Exception: {self.message} (version {version})\n"


class StartError(Exception):
    """The server cannot start; the message is the one line a person reads."""
