"""Where the warehouse is and who asks: the one settings object of this room."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from warehouse.variables import RoomSettings


class WarehouseSettings(RoomSettings):
    """Read from `TIDEMARK_*` variables; the defaults lead to the embedded stack on one machine.

    Its passwords are no defaults: `tidemark env` tells them.
    """

    warehouse_url: str = "http://127.0.0.1:18123"
    # Others by name, as a JSON object of URLs: what `tidemark ask --warehouse NAME` chooses from.
    warehouses: dict[str, str] = Field(default_factory=dict)
    warehouse_user: str = "tidemark"
    warehouse_password: SecretStr = SecretStr("")
    warehouse_reader_user: str = "reader"
    warehouse_reader_password: SecretStr = SecretStr("")
    # Of BigQuery alone: what it charges for 2^40 bytes read, and how many bytes one query may be charged for.
    bigquery_usd_per_tib: float = Field(default=6.25, ge=0)
    bigquery_billed_bytes: int = Field(default=10 * 2**30, gt=0)
    dbt_project_dir: Path = Path("dbt")
    dbt_target_dir: Path = Path(".tidemark/dbt")
    # dbt's own variable DBT_PROFILES_DIR; without it, the project's profiles.yml or where dbt looks for one.
    dbt_profiles_dir: Path | None = Field(default=None, validation_alias="dbt_profiles_dir")
    # dbt's own variable DBT_TARGET; without it, the profile's own target.
    dbt_target: str = Field(default="", validation_alias="dbt_target")
    # What questions may read, a JSON list; without it, the schemas behind the semantic models.
    schemas: tuple[str, ...] = ()
    # Words and units for a project that one may not edit; without it, the project's own tidemark.yml.
    overlay: Path | None = None
    # Who reads a connected project's tables where they are on another server than `warehouse_url`.
    project_reader_user: str = "reader"
    project_reader_password: SecretStr = SecretStr("")

    @property
    def manifest_path(self) -> Path:
        """dbt's manifest: what the catalogue is read from."""
        return self.dbt_target_dir / "manifest.json"

    @property
    def semantic_manifest_path(self) -> Path:
        """dbt's semantic manifest: what the semantic layer is read from."""
        return self.dbt_target_dir / "semantic_manifest.json"
