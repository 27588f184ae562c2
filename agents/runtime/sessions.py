"""Where a run's steps are kept, so that a retried run goes on where it stopped: one SQLite file a run."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from langgraph.checkpoint.sqlite import SqliteSaver

from agents.runtime.errors import PermanentError

KEPT_DAYS = 7


@contextmanager
def session(folder: Path, run_id: str) -> Iterator[SqliteSaver]:
    """The checkpoints of one run. Raises PermanentError when the folder cannot be written."""
    path = folder / f"{file_name(run_id)}.sqlite"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _prune(folder)
        connection = sqlite3.connect(path, check_same_thread=False, timeout=10)
        connection.execute("pragma journal_mode=wal")
        # With a write-ahead log this loses at most the last step to a power cut, never the file.
        connection.execute("pragma synchronous=normal")
    except (OSError, sqlite3.Error) as error:
        raise PermanentError(
            f"The run's steps cannot be kept in {path}: {error}. Free space there or set TIDEMARK_STATE_DIR."
        ) from error
    try:
        yield SqliteSaver(connection)
    finally:
        connection.close()


def file_name(run_id: str) -> str:
    """A run id as a safe, short file name that stays unique."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.:+@=\-]{0,180}", run_id) and ".." not in run_id:
        return run_id
    readable = re.sub(r"[^A-Za-z0-9]+", "-", run_id).strip("-")[:60]
    return f"{readable}-{sha256(run_id.encode()).hexdigest()[:10]}".lstrip("-")


def _prune(folder: Path) -> None:
    oldest = time.time() - KEPT_DAYS * 86_400
    for path in folder.glob("*.sqlite*"):
        try:
            if path.stat().st_mtime < oldest:
                path.unlink()
        except FileNotFoundError:
            continue
