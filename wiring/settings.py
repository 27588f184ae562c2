"""Every room's settings, read together and once, as one frozen object that is handed on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from agents.runtime.settings import AgentSettings
from streaming.settings import StreamingSettings
from warehouse.errors import SettingsError
from warehouse.settings import WarehouseSettings

PREFIX = "TIDEMARK_"


@dataclass(frozen=True)
class Settings:
    """What one process was told, by room."""

    warehouse: WarehouseSettings
    streaming: StreamingSettings
    agents: AgentSettings

    @classmethod
    def read(cls, told: Mapping[str, str] | None = None, *, warehouse: str = "") -> Settings:
        """From this process's `TIDEMARK_*` variables; `told`, by the same names, holds where they are silent.

        `warehouse` names another than theirs: a URL, or a name of `TIDEMARK_WAREHOUSES`. What dbt writes for
        it lies beside what it writes for theirs, and it is not shown their passwords.
        Raises `SettingsError` for a value that a setting cannot have, or a name that is none.
        """
        given: dict[str, Any] = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in (told or {}).items()
            if not os.environ.get(name)
        }
        if warehouse:
            theirs = WarehouseSettings(**given)
            url = _url(warehouse, theirs.warehouses)
            if url != theirs.warehouse_url:
                target = theirs.dbt_target_dir
                given |= {
                    "warehouse_url": url,
                    "dbt_target_dir": target.with_name(f"{target.name}-{urlsplit(url).scheme}"),
                    "warehouse_password": "",
                    "warehouse_reader_password": "",
                }
        return cls(WarehouseSettings(**given), StreamingSettings(**given), AgentSettings(**given))


def _url(warehouse: str, named: Mapping[str, str]) -> str:
    if "://" in warehouse:
        return warehouse
    if warehouse in named:
        return named[warehouse]
    raise SettingsError(
        f"There is no warehouse named {warehouse!r} in TIDEMARK_WAREHOUSES, a JSON object of names and URLs "
        f"(it has {', '.join(sorted(named)) or 'none'}). Name it there, or give its URL, such as "
        "bigquery://project."
    )
