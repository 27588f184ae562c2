"""The drivers that tools bring along, unmodified: JDBC (DBeaver, Metabase) and clickhouse-go (Grafana)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from embedded import jars
from embedded.settings import EmbeddedSettings
from warehouse_process import WarehouseProcess

pytestmark = pytest.mark.integration

DRIVERS = Path(__file__).with_name("drivers")


def run(*command: str | Path, cwd: Path | None = None) -> dict[str, str]:
    """What a driver's program found, by step."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, timeout=300)
    said = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, said + done.stderr.decode("utf-8", "replace")
    return dict(line.split("\t", 1) for line in said.splitlines())


def downloaded(name: str) -> Path:
    """The jars of a driver, kept beside those of the stack."""
    folder = EmbeddedSettings().jars_dir / f"test-{name}"
    jars.have(DRIVERS / name, folder)
    return folder


@pytest.fixture(scope="module")
def java_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    classes = tmp_path_factory.mktemp("classes")
    compiler = f"{downloaded('ecj')}/*"
    main = "org.eclipse.jdt.internal.compiler.batch.Main"
    options = ["-17", "-proc:none", "-nowarn", "-encoding", "UTF-8"]
    run(jars.java_home() / "bin/java", "-cp", compiler, main, *options, "-d", classes, DRIVERS / "Probe.java")
    return classes


@pytest.mark.parametrize("driver", ["jdbc-0.6", "jdbc-0.9"])
def test_jdbc(warehouse: WarehouseProcess, java_program: Path, driver: str) -> None:
    path = f"{downloaded(driver)}/*:{java_program}"
    url = f"jdbc:clickhouse://127.0.0.1:{warehouse.port}/ods"
    found = run(jars.java_home() / "bin/java", "-Dfile.encoding=UTF-8", "-cp", path, "Probe", url)
    assert found["version"].startswith("2")
    assert found["batch"] == "1000"
    assert found["counted"] == "1000 1250 1000"
    assert found["types"] == (
        "05:06.789Z 12.34 null [x, y] true low 61f0c404-5cb3-11e7-907b-a6006ad3dba0 2026-02-03 1.5 "
        "18446744073709551615"
    )
    assert found["parameter"] == "true"
    assert found["large"] == str(499999 * 500000 // 2)
    assert (found["tables"], found["columns"]) == ("jdbc", "i s at d n a b l u")
    assert "Code: 60. DB::Exception: Unknown table expression identifier 'ods.nope'" in found["missing"]
    assert "Code: 62. DB::Exception: Syntax error" in found["syntax"]
    assert "Code: 164. DB::Exception: Cannot execute query in readonly mode" in found["refused"]
    assert found["alive"] == "no error"
    # Statement.cancel() is a KILL QUERY by id, on a connection of its own.
    assert "Code: 394. DB::Exception: Query was cancelled" in found["cancelled"]
    assert found["left"] == "0"


@pytest.fixture(scope="module")
def go_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    go = shutil.which("go")
    if go is None:
        pytest.skip("clickhouse-go is NOT tested: there is no `go` on this machine")
    program = tmp_path_factory.mktemp("go") / "probe"
    run(go, "build", "-o", program, ".", cwd=DRIVERS / "go")
    return program


@pytest.mark.parametrize("compression", ["gzip", "lz4"])
def test_clickhouse_go(warehouse: WarehouseProcess, go_program: Path, compression: str) -> None:
    found = run(go_program, f"127.0.0.1:{warehouse.port}", compression)
    assert found["version"] == "true UTC"
    assert found["counted"] == "100000 100000"
    assert found["types"] == "2026-02-03T04:05:06.789Z 2026-02-03T04:05:06-07:00 <nil> [x y] low map[k:1]"
    assert found["large"] == str(499999 * 500000 // 2)
    assert found["empty"] == "[i s] false"
    assert "Unknown table expression identifier 'ods.nope'" in found["missing"]
    assert found["syntax"].startswith("true ")
    assert "Cannot execute query in readonly mode" in found["refused"]
    assert found["late"] == "true true"
    assert "context deadline exceeded" in found["cancelled"]
    assert found["left"] == "0"
