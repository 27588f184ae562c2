"""Who may do what: users from the settings, and what a read-only one is held to."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from pydantic_settings import BaseSettings, SettingsConfigDict

from embedded.warehouse_server.errors import WarehouseServerError


class AccessSettings(BaseSettings):
    """The two users of the embedded warehouse."""

    model_config = SettingsConfigDict(env_prefix="TIDEMARK_WAREHOUSE_", extra="ignore")

    user: str = "tidemark"
    password: str = "tidemark"
    reader_user: str = "reader"
    reader_password: str = "reader"


@dataclass(frozen=True, slots=True)
class User:
    name: str
    password: str
    read_only: bool


# The table functions a reader may call: they make rows or read tables. Every other one reaches out.
READER_TABLE_FUNCTIONS = {
    "numbers", "numbers_mt", "zeros", "zeros_mt", "generate_series", "generateseries", "generaterandom",
    "values", "view", "merge", "null",
}  # fmt: skip

# Settings that carry SQL of their own, or change what SQL is, past the look at a statement's functions.
_READER_REFUSED = (
    "additional_table_filters",
    "additional_result_filter",
    "parallel_replicas_custom_key",
    "dialect",
)

# A reader may ask for less than this, never for more. Seconds, rows and bytes.
READER_LIMITS = {
    "max_execution_time": 60,
    "max_result_rows": 1_000_000,
    "max_result_bytes": 1 << 30,
    "max_memory_usage": 2 << 30,
    "max_rows_to_read": 1_000_000_000,
}


class Users:
    """The users by name. Raises code 516 for a wrong name or password."""

    def __init__(self, settings: AccessSettings) -> None:
        self._users = {
            settings.user: User(settings.user, settings.password, False),
            settings.reader_user: User(settings.reader_user, settings.reader_password, True),
        }

    def authenticate(self, name: str, password: str) -> User:
        user = self._users.get(name)
        if user is None or not hmac.compare_digest(user.password.encode(), password.encode()):
            raise WarehouseServerError(
                516,
                f"{name}: Authentication failed: password is incorrect, or there is no user with such name.",
            )
        return user


def reader_settings(asked: dict[str, str]) -> dict[str, str]:
    """What a reader's settings become: their own, no looser than the limits. Raises code 452."""
    settings = dict(asked)
    for name in _READER_REFUSED:
        if name in settings:
            raise WarehouseServerError(452, f"Setting {name} should not be changed")
    for name, limit in READER_LIMITS.items():
        value = settings.get(name, str(limit))
        try:
            loose = not 0 < float(value) <= limit
        except ValueError:
            raise WarehouseServerError(36, f"Setting {name} must be a number, not '{value}'") from None
        if loose:
            raise WarehouseServerError(452, f"Setting {name} shouldn't be greater than {limit}")
        settings[name] = value
    return settings
