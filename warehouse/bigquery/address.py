"""Where a BigQuery is, from its URL: `bigquery://project[/location][?api_endpoint=http://host:port]`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from warehouse.errors import SettingsError

_PROJECT = re.compile(r"[a-z][a-z0-9.:-]*", re.IGNORECASE)


@dataclass(frozen=True)
class Address:
    """`location` is empty where the datasets' own decides; `api_endpoint` names an emulator."""

    project: str
    location: str = ""
    api_endpoint: str = ""

    def __str__(self) -> str:
        return f"{self.project} at {self.api_endpoint}" if self.api_endpoint else self.project


def address_of(url: str) -> Address:
    """Raises `SettingsError` for a URL that names no project or asks for what there is not."""
    parts = urlsplit(url)
    asked = parse_qs(parts.query)
    location = parts.path.strip("/")
    if not _PROJECT.fullmatch(parts.netloc) or "/" in location or set(asked) - {"api_endpoint"}:
        raise SettingsError(
            f"TIDEMARK_WAREHOUSE_URL is {url!r}, which names no BigQuery. "
            "Use bigquery://project, bigquery://project/location, or for an emulator "
            "bigquery://project?api_endpoint=http://host:port."
        )
    return Address(parts.netloc, location, asked.get("api_endpoint", [""])[0])
