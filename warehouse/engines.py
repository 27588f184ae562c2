"""Which engine a warehouse is of: its URL's scheme says so; each engine is a package beside this module."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import urlsplit

from warehouse.errors import SettingsError
from warehouse.settings import WarehouseSettings

if TYPE_CHECKING:
    from warehouse.client import Warehouse
    from warehouse.dialect import Dialect

_PACKAGES = {
    "http": "warehouse.clickhouse",
    "https": "warehouse.clickhouse",
    "bigquery": "warehouse.bigquery",
}
_ADAPTERS = {"clickhouse": "warehouse.clickhouse", "bigquery": "warehouse.bigquery"}


class Engine(Protocol):
    """What an engine's package has at its top."""

    @property
    def DIALECT(self) -> Dialect:
        """How it writes SQL, for whom has no connection."""

    def connect(self, settings: WarehouseSettings, *, read_only: bool = False) -> Warehouse:
        """See `connect`."""

    def dbt_environment(self, settings: WarehouseSettings) -> dict[str, str]:
        """The variables that the project's profiles.yml reads, TIDEMARK_DBT_TARGET among them."""

    def profile_url(self, credentials: Mapping[str, Any]) -> str:
        """The URL of what a dbt profile's connection leads to, for this room's own connection."""


def engine_of(settings: WarehouseSettings) -> Engine:
    """The engine that `settings.warehouse_url` names; its driver is imported here and not before."""
    scheme = urlsplit(settings.warehouse_url).scheme
    package = _PACKAGES.get(scheme)
    if package is None:
        raise SettingsError(
            f"TIDEMARK_WAREHOUSE_URL is {settings.warehouse_url!r}: "
            f"no warehouse speaks {scheme or 'that'!r}. Use http://host:port or https://host:port of a "
            "ClickHouse server, or bigquery://project."
        )
    return cast(Engine, import_module(package))


def url_of_profile(adapter: str, credentials: Mapping[str, Any]) -> str:
    """The warehouse that a dbt profile names, as a URL. Raises `SettingsError` for one that we cannot ask."""
    package = _ADAPTERS.get(adapter)
    if package is None:
        raise SettingsError(
            f"The project's profile is of dbt's adapter {adapter!r}; questions can be put to "
            f"{' and '.join(_ADAPTERS)}. Choose another target of the profile (--target)."
        )
    return cast(Engine, import_module(package)).profile_url(credentials)


def connect(settings: WarehouseSettings, *, read_only: bool = False) -> Warehouse:
    """Open the warehouse, as the writer or as the read-only user. Nothing is sent before the first call."""
    return engine_of(settings).connect(settings, read_only=read_only)
