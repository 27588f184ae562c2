"""The BigQuery engine, on Google's own client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from warehouse.bigquery.address import address_of
from warehouse.bigquery.dialect import DIALECT
from warehouse.settings import WarehouseSettings

if TYPE_CHECKING:
    from warehouse.bigquery.client import BigQuery

__all__ = ["DIALECT", "connect", "dbt_environment", "profile_url"]


def connect(settings: WarehouseSettings, *, read_only: bool = False) -> BigQuery:
    """A connection by Google's application default credentials, or an emulator's; nothing is sent yet."""
    # Google's packages take a second to import.
    from warehouse.bigquery.client import BigQuery

    return BigQuery(
        address_of(settings.warehouse_url),
        read_only=read_only,
        usd_per_tib=settings.bigquery_usd_per_tib,
        billed_bytes=settings.bigquery_billed_bytes,
    )


def dbt_environment(settings: WarehouseSettings) -> dict[str, str]:
    """The variables that profiles.yml reads. dbt logs in as the connection does."""
    address = address_of(settings.warehouse_url)
    return {
        "TIDEMARK_DBT_TARGET": "bigquery",
        "TIDEMARK_DBT_BIGQUERY_METHOD": "oauth-secrets" if address.api_endpoint else "oauth",
        "TIDEMARK_DBT_BIGQUERY_PROJECT": address.project,
        "TIDEMARK_DBT_BIGQUERY_LOCATION": address.location,
        "TIDEMARK_DBT_BIGQUERY_ENDPOINT": address.api_endpoint,
        "TIDEMARK_BIGQUERY_BILLED_BYTES": str(settings.bigquery_billed_bytes),
    }


def profile_url(credentials: Mapping[str, Any]) -> str:
    """The project of a profile of dbt-bigquery, with its location."""
    project = credentials.get("execution_project") or credentials["database"]
    location, endpoint = credentials.get("location"), credentials.get("api_endpoint")
    url = f"bigquery://{project}" + (f"/{location}" if location else "")
    return url + (f"?api_endpoint={endpoint}" if endpoint else "")
