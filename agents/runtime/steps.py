"""Where a run's steps are kept, so that a retried run goes on where it stopped: one SQLite file a run."""

from __future__ import annotations

import logging
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import Checkpoint, CheckpointMetadata, CheckpointTuple
from langgraph.checkpoint.sqlite import SqliteSaver

from agents.runtime.errors import PermanentError, TransientError

KEPT_DAYS = 7
_WAIT_S = 1.0
# A run goes on from the newest step, so those before it are not kept: each holds all that was said and found.
_NEWEST = """
create trigger if not exists newest after insert on checkpoints begin
  delete from checkpoints where thread_id = new.thread_id and checkpoint_ns = new.checkpoint_ns
    and checkpoint_id < new.checkpoint_id;
  delete from writes where thread_id = new.thread_id and checkpoint_ns = new.checkpoint_ns
    and checkpoint_id < new.checkpoint_id;
end
"""
_log = logging.getLogger(__name__)


class Checkpoints(SqliteSaver):
    """LangGraph's SQLite saver, for asynchronous graphs too: a step is written within the step that made it,
    on the one connection that holds the file, and no thread stands between them.
    """

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return self.get_tuple(config)

    async def alist(self, config: RunnableConfig | None, **criteria: Any) -> AsyncIterator[CheckpointTuple]:
        for kept in self.list(config, **criteria):
            yield kept

    async def aput(
        self, config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata, new_versions: Any
    ) -> RunnableConfig:
        return self.put(config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        self.put_writes(config, writes, task_id, task_path)

    def claim(self, approval: str, owner: str) -> str:
        """Whose an approval is: the first's that claims it, in any process of the run."""
        with self.cursor() as rows:
            rows.execute("create table if not exists claims (approval text primary key, owner text)")
            rows.execute("insert or ignore into claims values (?, ?)", (approval, owner))
            return str(rows.execute("select owner from claims where approval = ?", (approval,)).fetchone()[0])

    async def adelete_thread(self, thread_id: str) -> None:
        self.delete_thread(thread_id)


class Steps:
    """The steps kept of one run, held by this process alone."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.checkpoints = Checkpoints(connection)
        self.checkpoints.setup()
        connection.execute(_NEWEST)
        self._connection = connection

    def begin(self, asked: str, now: datetime) -> datetime:
        """The moment the run counts from: its first start's while it is the same one, else `now`.

        It is the same while the same is asked and it has not ended without an answer. Steps kept of
        another run, or of one that ended so, are dropped: they must not become part of this one.
        """
        with self._connection as run, closing(run.cursor()) as rows:
            rows.execute("create table if not exists run (asked text, began text, ended text)")
            rows.execute("create table if not exists claims (approval text primary key, owner text)")
            known = rows.execute("select asked, began, ended from run").fetchone()
            if known and known[0] == asked and known[2] in ("", "answered"):
                return datetime.fromisoformat(known[1])
            if known and known[0] != asked:
                _log.warning("this run id was used for %s: its steps are dropped for %s", known[0], asked)
            for table in ("checkpoints", "writes", "claims", "run"):
                rows.execute(f"delete from {table}")
            rows.execute("insert into run values (?, ?, '')", (asked, now.isoformat()))
        return now

    def end(self, status: str) -> None:
        """The run is over, answered or not, and its report written."""
        with self._connection as run:
            run.execute("update run set ended = ?", (status,))


@contextmanager
def open_steps(folder: Path, run_id: str) -> Iterator[Steps]:
    """The steps of one run. Raises TransientError while another process has them, PermanentError when they
    cannot be written.
    """
    path = folder / f"{file_name(run_id)}.sqlite"
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _prune(folder)
            connection = _open(path)
        except OSError as error:
            raise _unwritable(path, error) from error
        with closing(connection):
            yield Steps(connection)
    except sqlite3.Error as error:
        if _code(error) == sqlite3.SQLITE_BUSY:
            raise TransientError(
                f"Another process is at run {run_id} (it has {path} open). Wait until that has ended."
            ) from error
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: Exception) -> PermanentError:
    return PermanentError(
        f"The run's steps cannot be kept in {path}: {error}. Free space there or set TIDEMARK_STATE_DIR."
    )


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 for an error of Python's own module."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _open(path: Path) -> sqlite3.Connection:
    """The file, locked until it is closed or the process ends. One that is damaged is set aside, and said."""
    path.touch()
    connection = sqlite3.connect(path, check_same_thread=False, timeout=_WAIT_S)
    try:
        connection.execute("pragma locking_mode=exclusive")
        connection.execute("pragma journal_mode=wal")
        # With a write-ahead log this loses at most the last step to a power cut, never the file.
        connection.execute("pragma synchronous=normal")
        connection.execute("begin exclusive")
        fault = connection.execute("pragma quick_check(1)").fetchone()[0]
        connection.commit()
    except sqlite3.Error as error:
        connection.close()
        if _code(error) not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        fault = str(error)
    if fault == "ok":
        return connection
    connection.close()
    aside = path.with_name(f"{path.name}.damaged")
    path.rename(aside)
    for log in (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        log.unlink(missing_ok=True)
    _log.warning("%s is damaged (%s): it is kept as %s, and the run starts anew", path, fault, aside)
    return _open(path)


def file_name(run_id: str) -> str:
    """A run id as a safe, short file name that stays unique."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.:+@=\-]{0,180}", run_id) and ".." not in run_id:
        return run_id
    readable = re.sub(r"[^A-Za-z0-9]+", "-", run_id).strip("-")[:60]
    return f"{readable}-{sha256(run_id.encode(errors='backslashreplace')).hexdigest()[:10]}".lstrip("-")


def _prune(folder: Path) -> None:
    oldest = time.time() - KEPT_DAYS * 86_400
    for path in folder.glob("*.sqlite*"):
        try:
            if path.stat().st_mtime < oldest:
                path.unlink()
        except FileNotFoundError:
            continue
