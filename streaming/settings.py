"""The room's settings, read once at the edge from TIDEMARK_* variables and passed in."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from warehouse.variables import RoomSettings


class StreamingSettings(RoomSettings):
    """Addresses, folders and limits; every default works on one machine."""

    kafka_bootstrap: str = "127.0.0.1:19092"
    kafka_partitions: int = Field(default=2, ge=1, description="partitions of each topic when it is created")
    kafka_replication: int = Field(default=1, ge=1)
    kafka_disk_bytes: int = Field(
        default=16 * 2**30, ge=2**30, description="all topics together keep at most"
    )

    home: Path = Path(".tidemark")
    state_dir: Path = Field(default_factory=lambda before: before["home"])

    capture_content: bool = Field(default=True, description="false: no prompts, arguments, results")
    content_limit: int = Field(default=32_768, ge=0, description="bytes kept of an input, output or detail")
    spool_limit_bytes: int = Field(default=256 * 2**20, ge=2**20)
    flush_seconds: float = Field(default=3.0, gt=0, description="how long a closing producer waits for Kafka")

    ods_retention_days: int = Field(default=90, ge=1)

    flink_port: int = 18082
    flink_jars: str = Field(default="", description="comma-separated; default: home/jars/flink/*.jar")
    flink_checkpoint_ms: int = Field(default=1000, ge=100)
    flink_heap_mb: int = Field(default=512, ge=256)

    @property
    def spool_dir(self) -> Path:
        """Where producers keep records while Kafka is away."""
        return self.state_dir / "spool"

    @property
    def flink_dir(self) -> Path:
        """Checkpoints and logs of the embedded stream job."""
        return self.state_dir / "flink"
