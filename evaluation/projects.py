"""The dbt projects that questions are asked of, built on one warehouse server in a folder that is kept."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import yaml
from pydantic import SecretStr

from evaluation.telemetry import tables
from streaming.ddl import ods_tables
from warehouse import Warehouse, WarehouseSettings, connect
from warehouse.dbt_runner import run_dbt
from warehouse.ingestion import load_days

NOW = datetime(2026, 11, 21, 11, 0, 30, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[1]
SETS = Path(__file__).with_name("sets")
_FIXTURES = ROOT / "tests" / "warehouse" / "fixtures"
_FIRST_DAY, _LAST_DAY, _SEED = date(2025, 10, 17), date(2026, 11, 20), 7
_KEPT_FOR_EVER = 3650
_PASSWORDS = {"TIDEMARK_WAREHOUSE_PASSWORD": "tidemark", "TIDEMARK_WAREHOUSE_READER_PASSWORD": "reader"}
_ARROW = {
    "text": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "time": pa.timestamp("us", tz="UTC"),
    "map": pa.map_(pa.string(), pa.string()),
}
# The spines of the sample are views that begin some days before the server's clock; the questions have their
# own: first moment, seconds, how many.
_SPINES = {"dws.dws_minutes": ("2026-10-21", 60, 1440 * 32), "dws.dws_hours": ("2025-10-17", 3600, 24 * 402)}


@dataclass(frozen=True)
class Project:
    """A dbt project: where it is written, and where its profile is."""

    name: str
    source: Path
    profiles: Path

    @property
    def generator(self) -> Path | None:
        """The script that writes its seeds, where they are not kept."""
        script = self.source / "scripts" / "make_seeds.py"
        return script if script.is_file() else None


PROJECTS = {
    project.name: project
    for project in (
        Project("sample", ROOT / "dbt", ROOT / "dbt"),
        Project("bikes", _FIXTURES / "bikes", _FIXTURES / "profiles"),
        *(Project(name, SETS / name, SETS / name) for name in ("clinic", "logistics", "saas")),
    )
}


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a server on the folder's data, on a free port, for as long as it is needed."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIDEMARK_")}
    log, place = folder / "server.log", ["--data", str(folder / "data"), "--port", str(port)]
    with log.open("w", encoding="utf-8") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "embedded.warehouse_server", *place],
            env=environment | _PASSWORDS,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        while not _answers(port):
            if server.poll() is not None:
                raise SystemExit(f"The warehouse server did not start: {log.read_text('utf-8').strip()}")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def settings_of(project: Project, folder: Path, url: str) -> WarehouseSettings:
    """What leads to the built project, as its writer and as its reader."""
    return WarehouseSettings(
        warehouse_url=url,
        warehouse_password=SecretStr("tidemark"),
        warehouse_reader_password=SecretStr("reader"),
        dbt_project_dir=folder / "projects" / project.name if project.generator else project.source,
        dbt_target_dir=folder / "targets" / project.name,
        dbt_profiles_dir=folder / "projects" / project.name if project.generator else project.profiles,
    )


def build(project: Project, folder: Path, url: str) -> WarehouseSettings:
    """Bring the project's rows and models in, as far as they are not there already."""
    settings = settings_of(project, folder, url)
    written = [file for file in _files(project.source) if file.name not in ("development.yml", "heldout.yml")]
    loading = [*_files(ROOT / "warehouse" / "ingestion"), SETS.parent / "telemetry.py"]
    rows = _digest(loading) if project.name == "sample" else ""
    models = _digest([file for file in written if file.suffix != ".yml"])
    steps = (("rows", rows), ("models", rows + models), ("names", rows + models + _digest(written)))
    kept = folder / f"{project.name}.digests"
    before = kept.read_text("utf-8").split("\n") if kept.is_file() else ["", "", ""]
    stale = {step for (step, digest), old in zip(steps, before, strict=True) if digest != old}
    if not stale:
        return settings
    kept.unlink(missing_ok=True)
    if project.generator:
        _seeded(project, settings.dbt_project_dir)
    writer = connect(settings)
    try:
        if "rows" in stale:
            _say(f"{project.name}: rows of {_FIRST_DAY} to {_LAST_DAY} and telemetry")
            _load(writer)
        if stale & {"rows", "models"}:
            _say(f"{project.name}: dbt build")
            kinds = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
            run_dbt(settings, ["build", *kinds], full_refresh=True)
            if project.name == "sample":
                _spines(writer)
        else:
            _say(f"{project.name}: dbt parse")
            run_dbt(settings, ["parse"])
    finally:
        writer.close()
    kept.write_text("\n".join(digest for _, digest in steps), "utf-8")
    return settings


def _seeded(project: Project, copy: Path) -> None:
    """A copy of the project with its seeds, which are the same bytes each time."""
    assert project.generator is not None
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(project.source, copy, ignore=shutil.ignore_patterns("heldout.yml", "development.yml"))
    described = yaml.safe_load((copy / "dbt_project.yml").read_text("utf-8"))
    for place in described.get("seed-paths", ["seeds"]):
        (copy / place).mkdir(exist_ok=True)
    script = copy / project.generator.relative_to(project.source)
    subprocess.run([sys.executable, str(script)], check=True, stdout=subprocess.DEVNULL)


def _load(writer: Warehouse) -> None:
    load_days(writer, _FIRST_DAY, _LAST_DAY, seed=_SEED)
    made = tables()
    for table in ods_tables(_KEPT_FOR_EVER):
        writer.execute(f"drop table if exists {table.name}")
        writer.create(table)
        rows = made[table.name.partition(".")[2]]
        if rows:
            columns = {
                column.name: pa.array(
                    [list(row[column.name].items()) for row in rows]
                    if column.type == "map"
                    else [row[column.name] for row in rows],
                    _ARROW[column.type],
                )
                for column in table.columns
            }
            writer.insert(table, pa.table(columns))


def _spines(writer: Warehouse) -> None:
    for table, (first, seconds, count) in _SPINES.items():
        column = writer.query(f"select * from {table} limit 1").columns[0].name
        writer.execute(
            f"create or replace view {table} as "
            f"select toDateTime('{first}', 'UTC') + number * {seconds} as {column} from numbers({count})"
        )


def _files(folder: Path) -> list[Path]:
    parts = {"target", "logs", "__pycache__"}
    found = (file for file in folder.rglob("*") if file.is_file())
    return sorted(file for file in found if not parts & set(file.relative_to(folder).parts))


def _digest(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(str(file.name).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
