"""Runs dbt in this process: one import, one parse kept for the next run, results as records.

Importing dbt takes seconds, so a layer or the whole project is one call, never one process a model.
"""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from warehouse.engines import engine_of
from warehouse.errors import PermanentError, TransientError
from warehouse.settings import WarehouseSettings

_FAILED = ("error", "fail", "runtime error", "partial success")
# What drivers say when a server went away.
_AWAY = (
    "Connection aborted",
    "Connection refused",
    "Connection reset",
    "Max retries exceeded",
    "RemoteDisconnected",
    "timed out",
)
# dbt keeps flags, adapters and the working directory in globals.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class DbtNode:
    """What became of one model or test.

    `failures` is a test's number of failing rows and `sql` what selects them; `rows` what a model wrote,
    where the adapter says so.
    """

    name: str
    kind: str
    status: str
    seconds: float
    rows: int | None = None
    failures: int | None = None
    message: str = ""
    sql: str = ""

    @property
    def failed(self) -> bool:
        return self.status in _FAILED


@dataclass(frozen=True)
class DbtResult:
    """One run of dbt: its nodes in the order they ended."""

    command: tuple[str, ...]
    seconds: float
    nodes: tuple[DbtNode, ...]

    @property
    def failures(self) -> tuple[DbtNode, ...]:
        return tuple(node for node in self.nodes if node.failed)

    def counts(self) -> dict[str, int]:
        """How many nodes of each kind did not fail, such as `{"model": 8, "test": 21}`."""
        counts: dict[str, int] = {}
        for node in self.nodes:
            if not node.failed and node.status != "skipped":
                counts[node.kind] = counts.get(node.kind, 0) + 1
        return counts


class DbtError(PermanentError):
    """dbt refused the project or the command, such as a model that does not parse."""


class DbtUnreachableError(TransientError):
    """dbt could not reach the warehouse."""


class DbtFailedError(DbtError):
    """Models or tests failed; `result` holds them all, and the message names each that did."""

    def __init__(self, result: DbtResult) -> None:
        lines = [
            f"{node.kind} {node.name}: {node.failures} failing rows"
            if node.failures
            else f"{node.kind} {node.name}: {_one_line(node.message)}"
            for node in result.failures
        ]
        skipped = sum(node.status == "skipped" for node in result.nodes)
        after = f" {skipped} downstream nodes were skipped." if skipped else ""
        super().__init__(f"dbt {result.command[0]} failed on {'; '.join(lines)}.{after}")
        self.result = result


def run_dbt(
    settings: WarehouseSettings,
    command: Sequence[str],
    *,
    select: str | None = None,
    variables: Mapping[str, Any] | None = None,
    full_refresh: bool = False,
) -> DbtResult:
    """Run a dbt command such as `["build"]` or `["docs", "generate", "--static"]` on the project.

    Artifacts go to `settings.dbt_target_dir`, dbt's log beside them. Raises `DbtFailedError` for failing
    nodes, `DbtUnreachableError` when the warehouse does not answer, `DbtError` for anything else: also for a
    selection that nothing of the project matches, which dbt itself calls a success.
    """
    project = settings.dbt_project_dir.resolve()
    target = settings.dbt_target_dir.resolve()
    if not (project / "dbt_project.yml").is_file():
        raise DbtError(
            f"{project} is no dbt project: it has no dbt_project.yml. Name the folder that has it "
            "(TIDEMARK_DBT_PROJECT_DIR, or `tidemark connect DIR`)."
        )
    arguments = [*command, *_places(settings), "--quiet", "--no-use-colors", "--log-level", "none"]
    # dbt would keep an id of its user beside profiles.yml, in a tree that may be somebody else's.
    arguments.append("--no-send-anonymous-usage-stats")
    if select:
        arguments += ["--select", select]
    if command[0] in ("build", "test"):
        # A test belongs to the last layer that it reads.
        arguments += ["--indirect-selection", "buildable"]
    if variables:
        import json

        arguments += ["--vars", json.dumps(dict(variables))]
    if full_refresh:
        arguments.append("--full-refresh")
    with _ONE_AT_A_TIME, _environment(settings):
        begin = time.perf_counter()
        outcome, said = _invoke(arguments)
    result = DbtResult(tuple(command), time.perf_counter() - begin, tuple(_nodes(outcome.result)))
    if outcome.exception is not None:
        raise _error(outcome.exception, said)
    if result.failures:
        failed = DbtFailedError(result)
        if any(_says_away(node.message) for node in result.failures):
            raise DbtUnreachableError(f"The warehouse went away under dbt: {failed}")
        raise failed
    if select and not result.nodes:
        raise DbtError(
            f"dbt {command[0]} did nothing: no model of {project} matches {select!r}. "
            "Select a folder, tag or name that the project has."
        )
    if not outcome.success:
        raise DbtError(f"dbt {' '.join(command)} failed; its log is {target / 'dbt.log'}.")
    return result


def dbt_credentials() -> tuple[str, dict[str, Any]]:
    """Where the project of the last run leads: the adapter's type and the profile's connection, rendered."""
    from dbt.adapters.factory import FACTORY

    found = list(FACTORY.adapters.values())
    if not found:
        raise DbtError("dbt has no connection: run it on a project first.")
    credentials = found[-1].config.credentials
    return credentials.type, {name: getattr(credentials, name, None) for name in vars(credentials)}


def _places(settings: WarehouseSettings) -> list[str]:
    project, target = settings.dbt_project_dir.resolve(), settings.dbt_target_dir.resolve()
    places = ["--project-dir", str(project), "--target-path", str(target), "--log-path", str(target)]
    if settings.dbt_profiles_dir:
        places += ["--profiles-dir", str(settings.dbt_profiles_dir.resolve())]
    elif (project / "profiles.yml").is_file():
        places += ["--profiles-dir", str(project)]
    if settings.dbt_target:
        places += ["--target", settings.dbt_target]
    return places


def _invoke(arguments: list[str]) -> tuple[Any, list[str]]:
    """What dbt returns, and what it would have logged as errors: its exception has not always a word."""
    said: list[str] = []

    def listen(event: Any) -> None:
        if event.info.level == "error":
            said.append(_one_line(event.info.msg))

    with warnings.catch_warnings():
        # Google's packages, which dbt-bigquery imports, announce the end of Python versions.
        warnings.simplefilter("ignore")
        from dbt.cli.main import dbtRunner

        return dbtRunner(callbacks=[listen]).invoke(arguments), said


@contextmanager
def _environment(settings: WarehouseSettings) -> Iterator[None]:
    """What profiles.yml reads; dbt knows no other way to be told a password."""
    given = engine_of(settings).dbt_environment(settings)
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _nodes(result: Any) -> Iterator[DbtNode]:
    for run in getattr(result, "results", None) or ():
        node = getattr(run, "node", None)
        if node is None or not hasattr(run, "status"):
            continue
        response = getattr(run, "adapter_response", None) or {}
        yield DbtNode(
            name=node.name,
            kind=str(node.resource_type),
            status=str(run.status),
            seconds=run.execution_time,
            rows=response.get("rows_affected"),
            failures=getattr(run, "failures", None),
            message=run.message or "",
            sql=getattr(node, "compiled_code", None) or "",
        )


def _error(exception: BaseException, said: Sequence[str]) -> Exception:
    text = _one_line(str(exception))
    more = [one for one in said if one not in text and text not in one]
    text = _one_line(" ".join([text, *more]))
    if _says_away(text):
        return DbtUnreachableError(f"dbt could not reach the warehouse: {text}")
    return DbtError(f"dbt could not run: {text}")


def _says_away(text: str) -> bool:
    """Whether a driver says that the server went away: dbt passes on only words."""
    return any(sign in text for sign in _AWAY)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:600]
