"""ClickHouse behind the room's protocol, over clickhouse-connect."""

from __future__ import annotations

from pydantic import SecretStr
