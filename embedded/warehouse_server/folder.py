"""The data folder before the engine opens it: one owner, and what chDB reads from its configuration."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from embedded.warehouse_server.errors import StartError

_CONFIG = """\
<clickhouse>
  <users_config>{folder}/users.xml</users_config>
  <timezone>UTC</timezone>
  <!-- The machine is shared with a broker, a stream job and a scheduler. -->
  <max_server_memory_usage_to_ram_ratio>0.5</max_server_memory_usage_to_ram_ratio>
  <mark_cache_size>268435456</mark_cache_size>
  <access_control_improvements>
    <table_engines_require_grant>true</table_engines_require_grant>
  </access_control_improvements>
</clickhouse>
"""

# Everything that stays inside the folder, and nothing that reaches out of it: no READ or WRITE on any
# source (file, url, s3, remote, ...), no dictionaries, no engine that talks to another system.
_RIGHTS = (
    "SHOW, SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW, CREATE TEMPORARY TABLE, "
    "CREATE FUNCTION, DROP, UNDROP TABLE, TRUNCATE, OPTIMIZE, CHECK, KILL QUERY, SYSTEM MERGES, "
    "SYSTEM TTL MERGES, SYSTEM FLUSH, SYSTEM DROP CACHE, SYSTEM VIEWS ON *.*"
)
_MERGE_TREES = (
    "",
    "Replacing",
    "Summing",
    "Aggregating",
    "Collapsing",
    "VersionedCollapsing",
    "Coalescing",
    "Graphite",
)
_OTHER_ENGINES = (
    "Memory", "View", "MaterializedView", "Null", "Log", "TinyLog", "StripeLog", "Set", "Join", "Buffer",
    "Merge", "Alias", "GenerateRandom",
)  # fmt: skip
_USERS = """\
<clickhouse>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <password></password>
      <networks><ip>::/0</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants>
{grants}
      </grants>
    </default>
  </users>
</clickhouse>
"""


class DataFolder:
    """A folder held by this process alone until it ends. Raises StartError."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        try:
            (self.path / "tmp").mkdir(parents=True, exist_ok=True)
            self._lock = self._own()
            self._write(
                "users.xml", _USERS.format(grants="\n".join(f"<query>GRANT {g}</query>" for g in _grants()))
            )
            self._write("server.xml", _CONFIG.format(folder=self.path))
        except OSError as error:
            raise StartError(
                f"cannot write to the warehouse folder {self.path}: {error.strerror}; "
                "free space or rights there, or set TIDEMARK_HOME to another folder"
            ) from error

    @property
    def address(self) -> str:
        """What the first connection opens; the configuration is read by that one alone."""
        return f"{self.path}?config-file={self.path}/server.xml"

    def has_default(self) -> bool:
        """Whether a database `default` of ours is here, made ready to be attached."""
        definition = self.path / "metadata" / "default.sql"
        if not definition.exists():
            return False
        # chDB makes a database's folder with its first table, and cannot attach a database without one.
        link = definition.with_suffix("")
        if not link.is_symlink():
            uuid = definition.read_text().split("'")[1]
            (self.path / "store" / uuid[:3] / uuid).mkdir(parents=True, exist_ok=True)
            link.symlink_to(f"../store/{uuid[:3]}/{uuid}")
        return True

    def _own(self) -> IO[str]:
        lock = open(self.path / "owner.pid", "a+")  # noqa: SIM115  held until the process ends
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise StartError(
                f"the warehouse folder {self.path} is already owned by process {lock.read().strip() or '?'}; "
                "stop that one, or use another folder"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        return lock

    def _write(self, name: str, text: str) -> None:
        (self.path / name).write_text(text)


def _grants() -> list[str]:
    engines = [f"{kind}MergeTree" for kind in _MERGE_TREES] + list(_OTHER_ENGINES)
    return [_RIGHTS, *(f"TABLE ENGINE ON {engine}" for engine in engines)]
