"""A BigQuery emulator: a process on free ports, in an environment of its own, as its packages bar ours."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from free_ports import free_ports

PROJECT = "demo"

_ROOT = Path(__file__).parents[2]
_LOCK = Path(__file__).with_suffix(".lock")


@contextmanager
def bigquery_emulator() -> Iterator[str]:
    """The URL of an empty warehouse, for as long as the block lasts; without one the test is skipped."""
    environment = _environment()
    rest, grpc = free_ports(2)
    command = [str(environment / "bin" / "bqemulator"), "start", "--project", PROJECT, "--log-level", "error"]
    command += ["--rest-port", str(rest), "--grpc-port", str(grpc)]
    with subprocess.Popen(command, env=_variables(environment), stdout=subprocess.DEVNULL) as process:
        try:
            endpoint = f"http://127.0.0.1:{rest}"
            _wait(process, f"{endpoint}/bigquery/v2/projects/{PROJECT}/datasets")
            yield f"bigquery://{PROJECT}?api_endpoint={endpoint}"
        finally:
            process.kill()


def _environment() -> Path:
    """The environment, made or brought up to its lock file where it is not."""
    home = Path(os.environ.get("TIDEMARK_HOME", _ROOT / ".tidemark"))
    environment = (home / "bigquery-emulator").absolute()
    stamp, wanted = environment / ".made-from", hashlib.sha256(_LOCK.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return environment
    uv = shutil.which("uv") or str(home / "uv" / "bin" / "uv")
    python = environment / "bin" / "python"
    spatial = "from duckdb_extensions import import_extension; import_extension('spatial')"
    try:
        _run(uv, "venv", "-q", "--clear", "--python", "3.11", str(environment))
        _run(uv, "pip", "install", "-q", "--require-hashes", "-r", str(_LOCK), "--python", str(python))
        _run(str(python), "-c", spatial, env=_variables(environment))
    except (OSError, subprocess.CalledProcessError) as error:
        said = (
            error.stderr.strip().splitlines()[-1:] if isinstance(error, subprocess.CalledProcessError) else ""
        )
        pytest.skip(f"NO BIGQUERY EMULATOR: its environment {environment} cannot be made ({error}) {said}")
    stamp.write_text(wanted)
    return environment


def _variables(environment: Path) -> dict[str, str]:
    # It keeps its extensions in the home folder, which is to be no person's.
    return {**os.environ, "HOME": str(environment)}


def _run(*command: str, env: dict[str, str] | None = None) -> None:
    subprocess.run(command, check=True, env=env, capture_output=True, text=True, timeout=300)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + 120
    with httpx.Client(timeout=5.0) as http:
        while time.monotonic() < deadline:
            assert process.poll() is None, "the emulator ended at once"
            try:
                http.get(url).raise_for_status()
                return
            except httpx.HTTPError:
                time.sleep(0.1)
    raise AssertionError("the emulator did not answer within two minutes")
