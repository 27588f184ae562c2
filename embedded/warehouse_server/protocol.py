"""A request's head: what it asks for, who sends it, and from where."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from email.message import Message
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlsplit

from embedded.warehouse_server.codecs import choose
from embedded.warehouse_server.errors import WarehouseServerError

# Parameters that belong to the protocol; every other one is a setting.
_RESERVED = {
    "query", "database", "default_format", "session_id", "session_timeout", "session_check", "close_session",
    "query_id", "user", "password", "quota_key", "role", "stacktrace", "buffer_size", "wait_end_of_query",
    "compress", "decompress", "client_protocol_version",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """What one HTTP request asks for; the body is read apart."""

    user: str
    password: str
    query: bytes
    database: str
    query_id: str
    default_format: str
    session_id: str
    session_timeout: float
    session_check: bool
    close_session: bool
    settings: dict[str, str]
    accept_encoding: str | None
    compress: bool
    decompress: bool
    revision: int
    wait_end_of_query: bool


def parse(query_string: str, headers: Message, fields: Mapping[str, str] | None = None) -> Request:
    """Read the URL's parameters, the headers and a form's fields. Raises codes 516, 374, 48."""
    params = dict(parse_qsl(query_string, keep_blank_values=True, encoding="utf-8", errors="surrogateescape"))
    params.update(fields or {})
    user, password = _credentials(params, headers)
    try:
        timeout = float(params.get("session_timeout", "60"))
    except ValueError:
        raise WarehouseServerError(374, f"Invalid session timeout: '{params['session_timeout']}'") from None
    if not 0 <= timeout <= 3600:
        raise WarehouseServerError(374, f"Session timeout {timeout:g} is not between 0 and 3600 seconds")
    # Both go into places that are not theirs alone: a statement's end, a header.
    default_format = params.get("default_format") or headers.get("X-ClickHouse-Format") or "TabSeparated"
    if not re.fullmatch(r"\w+", default_format, re.ASCII):
        raise WarehouseServerError(73, f"Unknown format '{default_format}'")
    query_id = params.get("query_id") or headers.get("X-ClickHouse-Query-Id") or str(uuid.uuid4())
    if not re.fullmatch(r"[\x20-\x7e]+", query_id):
        raise WarehouseServerError(36, "A query_id is printable ASCII")
    settings = {name: value for name, value in params.items() if name not in _RESERVED and name}
    revision = params.get("client_protocol_version", "0")
    if not re.fullmatch(r"[0-9]{1,9}", revision, re.ASCII):
        raise WarehouseServerError(36, f"client_protocol_version is not a number: '{revision}'")
    return Request(
        user=user,
        password=password,
        query=params.get("query", "").encode("utf-8", "surrogateescape"),
        database=params.get("database", "") or str(headers.get("X-ClickHouse-Database", "")),
        query_id=query_id,
        default_format=default_format,
        session_id=params.get("session_id", ""),
        session_timeout=timeout,
        session_check=params.get("session_check") == "1",
        close_session=params.get("close_session") == "1",
        settings=settings,
        accept_encoding=choose(headers.get("Accept-Encoding", ""))
        if settings.get("enable_http_compression") == "1"
        else None,
        compress=params.get("compress") == "1",
        decompress=params.get("decompress") == "1",
        revision=int(revision),
        wait_end_of_query=params.get("wait_end_of_query") == "1",
    )


def refuse_pages(headers: Message, hosts: Collection[str]) -> None:
    """Refuse what a page in a browser sends from elsewhere, with the browser's credentials. Raises code 497.

    A browser names the page's origin; and a name that was bound to this address a moment ago stands in
    `Host`, which otherwise is an address, localhost, or one of `hosts`.
    """
    host = headers.get("Host", "localhost")
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        name = ""
    if name != "localhost" and name not in hosts and not _is_address(name):
        raise WarehouseServerError(
            497,
            f"This server is not called {name or host}; name it by its address, or add the name to "
            "TIDEMARK_WAREHOUSE_HOST_NAMES",
        )
    origin = headers.get("Origin")
    elsewhere = headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
    if elsewhere or (origin is not None and origin.partition("://")[2] != host):
        raise WarehouseServerError(497, f"A page of {origin or 'another site'} may not send statements here")


def _is_address(name: str) -> bool:
    try:
        return bool(ip_address(name))
    except ValueError:
        return False


def _credentials(params: dict[str, str], headers: Message) -> tuple[str, str]:
    """Name and password; bytes that are no UTF-8 stay as surrogates, which no password has."""
    if "X-ClickHouse-User" in headers or "X-ClickHouse-Key" in headers:
        return _text(headers.get("X-ClickHouse-User", "default")), _text(headers.get("X-ClickHouse-Key", ""))
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(token.encode("latin-1"), validate=True)
        except binascii.Error:
            raise WarehouseServerError(
                516, "The Authorization header is not valid Basic authentication"
            ) from None
        name, _, password = pair.decode("utf-8", "surrogateescape").partition(":")
        return name, password
    if scheme:
        raise WarehouseServerError(516, f"Authentication scheme {scheme!r} is not supported; use Basic")
    return params.get("user", "default"), params.get("password", "")


def _text(header: str) -> str:
    return header.encode("latin-1").decode("utf-8", "surrogateescape")
