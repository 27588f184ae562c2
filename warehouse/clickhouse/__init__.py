"""The ClickHouse engine; the embedded server speaks its protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from warehouse.clickhouse.client import ClickHouse
from warehouse.clickhouse.dialect import DIALECT
from warehouse.errors import SettingsError
from warehouse.settings import WarehouseSettings

__all__ = ["DIALECT", "connect", "dbt_environment", "profile_url"]

_NATIVE_PORTS = (9000, 9440)


def connect(settings: WarehouseSettings, *, read_only: bool = False) -> ClickHouse:
    """A connection as the writer or as the read-only user; nothing is sent before the first call."""
    user, password = (
        (settings.warehouse_reader_user, settings.warehouse_reader_password)
        if read_only
        else (settings.warehouse_user, settings.warehouse_password)
    )
    return ClickHouse(settings.warehouse_url, user, password)


def dbt_environment(settings: WarehouseSettings) -> dict[str, str]:
    """The variables that profiles.yml reads; dbt knows no other way to be told a password."""
    url = urlsplit(settings.warehouse_url)
    secure = url.scheme == "https"
    return {
        "TIDEMARK_DBT_TARGET": "clickhouse",
        "TIDEMARK_DBT_HOST": url.hostname or "127.0.0.1",
        "TIDEMARK_DBT_PORT": str(url.port or (8443 if secure else 8123)),
        "TIDEMARK_DBT_SECURE": str(secure),
        "TIDEMARK_WAREHOUSE_USER": settings.warehouse_user,
        "TIDEMARK_WAREHOUSE_PASSWORD": settings.warehouse_password.get_secret_value(),
    }


def profile_url(credentials: Mapping[str, Any]) -> str:
    """The HTTP address in a profile. Raises `SettingsError` for one of the native protocol."""
    host, port = credentials["host"], credentials.get("port")
    if credentials.get("driver") == "native" or port in _NATIVE_PORTS:
        raise SettingsError(
            f"The project's profile leads to {host} by ClickHouse's native protocol; questions are asked "
            "over HTTP. Name the address for that, such as --warehouse http://host:8123."
        )
    secure = bool(credentials.get("secure")) or port == 8443
    return f"{'https' if secure else 'http'}://{host}:{port or (8443 if secure else 8123)}"
