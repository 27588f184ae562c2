"""Who may do what: users from the settings, and what a read-only one is held to."""

from __future__ import annotations

import hmac
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from embedded.warehouse_server.errors import WarehouseServerError

_MUST_BE_SET: Any = Field(SecretStr(""), min_length=1, validate_default=True)


class AccessSettings(BaseSettings):
    """The two users of the embedded warehouse, and the names that it is called by besides localhost.

    No password has a default.
    """

    model_config = SettingsConfigDict(env_prefix="TIDEMARK_WAREHOUSE_", extra="ignore")

    user: str = "tidemark"
    password: SecretStr = _MUST_BE_SET
    reader_user: str = "reader"
    reader_password: SecretStr = _MUST_BE_SET
    host_names: list[str] = []

    def with_secrets(self) -> bytes:
        """All of it as JSON, for a process of its own."""
        return json.dumps(self.model_dump(), default=lambda secret: secret.get_secret_value()).encode()


@dataclass(frozen=True, slots=True)
class User:
    name: str
    password: SecretStr
    read_only: bool


# The most that anyone may ask for: beyond it a statement can end the process, whose stack is finite.
_BOUNDS = {
    "max_query_size": 1 << 20,
    "max_parser_depth": 1000,
    "max_parser_backtracks": 1_000_000,
    "max_ast_depth": 1000,
    "max_ast_elements": 500_000,
    "max_expanded_ast_elements": 5_000_000,
    "max_subquery_depth": 100,
}

# What every statement of a reader is held to; it may ask for less. Seconds, rows and bytes.
READER_LIMITS = {
    "max_execution_time": 60,
    "max_result_rows": 1_000_000,
    "max_result_bytes": 1 << 30,
    "max_memory_usage": 2 << 30,
    "max_rows_to_read": 1_000_000_000,
}
_READER_BOUNDS = {
    **_BOUNDS,
    **READER_LIMITS,
    "max_query_size": 262_144,
    "max_ast_elements": 50_000,
    "max_expanded_ast_elements": 500_000,
    "max_bytes_to_read": 1 << 40,
    "max_block_size": 1 << 20,
    "max_threads": 64,
    "max_rows_in_set": 100_000_000,
    "max_rows_in_join": 100_000_000,
    "max_rows_to_group_by": 100_000_000,
    "max_rows_to_sort": 1_000_000_000,
    "max_columns_to_read": 100_000,
    "max_network_bandwidth": 1 << 40,
    "priority": 1_000,
}

# What clients send, and the server decides.
IGNORED_OF_READERS = {"log_comment", "readonly"}
# The lists of what a reader may use: what is on none of them is refused.
READER: dict[str, Any] = tomllib.loads(Path(__file__).with_name("reader.toml").read_text("utf-8"))
_READER_SETTINGS = frozenset(READER["settings"].split())


class Users:
    """The users by name. Raises code 516 for a wrong name or password."""

    def __init__(self, settings: AccessSettings) -> None:
        self._users = {
            settings.user: User(settings.user, settings.password, False),
            settings.reader_user: User(settings.reader_user, settings.reader_password, True),
        }

    def authenticate(self, name: str, password: str) -> User:
        user = self._users.get(name)
        given = password.encode("utf-8", "surrogateescape")
        if user is None or not hmac.compare_digest(user.password.get_secret_value().encode(), given):
            raise WarehouseServerError(
                516,
                f"{name}: Authentication failed: password is incorrect, or there is no user with such name.",
            )
        return user


def bounded(name: str, value: str, bounds: Mapping[str, int] = _BOUNDS) -> None:
    """Refuse a value beyond its bound: a fraction would be rounded, to no bound at all. Raises code 452."""
    bound = bounds.get(name)
    if bound is not None and not (re.fullmatch(r"[0-9]{1,19}", value) and 1 <= int(value) <= bound):
        raise WarehouseServerError(
            452, f"Setting {name} is a whole number from 1 to {bound} here, not '{value}'"
        )


def reader_setting(name: str, value: str) -> None:
    """Refuse a setting that is on no list, or beyond its bound. Raises code 452."""
    if name == "readonly" and value not in ("1", "2"):
        raise WarehouseServerError(452, "Setting readonly stays on for a read-only user")
    if name in IGNORED_OF_READERS:
        return
    if name not in _READER_BOUNDS and name not in _READER_SETTINGS and not name.startswith("param_"):
        raise WarehouseServerError(
            452, f"Setting {name} should not be changed by a read-only user; leave it out of the request"
        )
    bounded(name, value, _READER_BOUNDS)


def reader_settings(asked: dict[str, str]) -> dict[str, str]:
    """What a reader's settings become: its own, no looser than the limits. Raises code 452."""
    for name, value in asked.items():
        reader_setting(name, value)
    limits = {name: str(limit) for name, limit in READER_LIMITS.items()}
    return {**limits, **{name: value for name, value in asked.items() if name not in IGNORED_OF_READERS}}
