"""The one-machine stack as a whole: up, stop, status, logs, restart."""

from __future__ import annotations

import fcntl
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import disk_usage
from tempfile import TemporaryFile
from threading import Lock

import psutil

from embedded import jars
from embedded.errors import NotRunning, PortTaken, ServiceFailed, StateFolderError, UnknownService
from embedded.logs import follow, last_words, tail
from embedded.services import Port, Service, services
from embedded.settings import LOOPBACK, EmbeddedSettings
from embedded.supervision import MARK, Supervisor, log_path

# Patience for a machine with much else to do; a service that keeps ending is given up far sooner.
HEALTHY_WITHIN_SECONDS = 600.0
ENDINGS_FORGIVEN = 2
NEEDED_FREE_BYTES = 1 << 30
POLL_SECONDS = 0.15


@dataclass(frozen=True)
class ServiceStatus:
    """One service as it is now. `memory` is in bytes, children included, shared pages counted once."""

    name: str
    state: str  # supervisor's word: RUNNING, STARTING, BACKOFF, STOPPED, FATAL, ...
    healthy: bool
    why: str
    pid: int | None
    uptime: float  # seconds
    memory: int
    address: str
    log: Path


@dataclass(frozen=True)
class Progress:
    """Something happened on the way up or down."""

    service: str
    state: str  # starting, healthy, running (was already), stopping, stopped
    seconds: float = 0.0


Listener = Callable[[Progress], None]


class Stack:
    """All services of one state folder."""

    def __init__(self, settings: EmbeddedSettings | None = None) -> None:
        self.settings = settings or EmbeddedSettings()
        self._supervisor = Supervisor(self.settings)
        self._services = services(self.settings)

    @property
    def names(self) -> list[str]:
        """The services' names, in reading order."""
        return [service.name for service in self._services]

    def up(self, progress: Listener = lambda _: None, only: tuple[str, ...] = ()) -> None:
        """Start what does not run and return when all is healthy; what runs with these settings is kept.

        Args:
            progress: told of each service's steps, one at a time, from several threads.
            only: start these services and what they need, instead of all.

        Raises:
            EmbeddedError: with one line for a person; whatever did start keeps running.
        """
        wanted = self._with_needs(only or tuple(self.names))
        self._check_state_folder()
        with self._locked():
            if jars.missing(self.settings):
                progress(Progress("jars", "fetching"))
            jars.ensure(self.settings)
            if self._supervisor.running() and not self._supervisor.was_told(self._services):
                progress(Progress("stack", "settings changed, starting again"))
                self._stop(progress)
            if not self._supervisor.running():
                self._end_leftovers()
            self._check_ports(wanted)
            if not self._supervisor.running():
                self._supervisor.start(self._services)
            self._start(wanted, progress)

    def stop(self, progress: Listener = lambda _: None) -> bool:
        """Stop everything, state kept; returns whether anything ran."""
        if not self.settings.run_dir.exists():
            return False
        with self._locked():
            return self._stop(progress)

    def status(self) -> list[ServiceStatus]:
        """Every service with its health, asked in parallel."""
        info = self._supervisor.info() if self._supervisor.running() else {}
        with ThreadPoolExecutor(len(self._services)) as pool:
            return list(
                pool.map(lambda service: self._status_of(service, info.get(service.name, {})), self._services)
            )

    def logs(self, name: str | None = None, following: bool = False, lines: int = 40) -> Iterator[str]:
        """The last lines of one service's log, or of each; with `following`, what comes next as well.

        Raises:
            UnknownService: there is no such service.
        """
        chosen = [self._service(name).name] if name else self.names
        files = {service: log_path(service, self.settings) for service in chosen}
        for service, file in files.items():
            if not name:
                yield f"==> {service} ({file})"
            yield from tail(file, lines if name else 8)
        if following:
            yield from follow(files)

    def restart(self, name: str, progress: Listener = lambda _: None) -> None:
        """Stop one service, start it, return when it is healthy.

        Raises:
            UnknownService, NotRunning, ServiceFailed
        """
        service = self._service(name)
        if not self._supervisor.running():
            raise NotRunning("the stack is not running; start it with `tidemark up`")
        progress(Progress(name, "stopping"))
        self._stop_services([service])
        self._start((service,), progress)

    def _start(self, wanted: tuple[Service, ...], listener: Listener) -> None:
        one_at_a_time = Lock()

        def progress(step: Progress) -> None:
            with one_at_a_time:
                listener(step)

        started: dict[str, Future[None]] = {}
        failed: list[BaseException] = []

        def bring_up(service: Service) -> None:
            for need in service.after:
                if need in started:
                    started[need].result()
            if not failed:
                self._bring_up(service, progress, failed)

        with ThreadPoolExecutor(len(wanted)) as pool:
            # `after` only names services further up, so every future is there before it is waited for.
            for service in wanted:
                started[service.name] = pool.submit(bring_up, service)
            try:
                done, _ = wait(started.values(), return_when=FIRST_EXCEPTION)
            except KeyboardInterrupt as interrupt:
                failed.append(interrupt)  # lets the threads end, which leaving this block waits for
                raise
            failed += [error for future in done if (error := future.exception())]
        if failed:
            raise failed[0]

    def _bring_up(self, service: Service, progress: Listener, failed: list[BaseException]) -> None:
        began = time.monotonic()
        process = self._supervisor.info()[service.name]
        fresh = process["statename"] not in ("RUNNING", "STARTING")
        if fresh:
            progress(Progress(service.name, "starting"))
            if service.prepare:
                service.prepare()
            self._supervisor.start_service(service.name)
        seen: set[int] = set()
        while not failed:
            process = self._supervisor.info()[service.name]
            seen |= {process["pid"]} - {0}
            health = service.check(process["start"])
            if health.ok and process["statename"] in ("RUNNING", "STARTING"):
                progress(Progress(service.name, "healthy" if fresh else "running", time.monotonic() - began))
                return
            ending = process["statename"] == "FATAL" or len(seen) > ENDINGS_FORGIVEN + 1
            if ending or time.monotonic() - began > HEALTHY_WITHIN_SECONDS:
                what = "keeps ending" if ending else f"is not healthy ({health.why})"
                raise ServiceFailed(self._failure(service, what))
            time.sleep(POLL_SECONDS)

    def _failure(self, service: Service, what: str) -> str:
        log = log_path(service.name, self.settings)
        return f"{service.name} {what}: {last_words(log) or 'its log is empty'} (log: {log})"

    def _stop(self, progress: Listener) -> bool:
        if not self._supervisor.running():
            return self._end_leftovers()
        # Clients first, so that none spends its last seconds complaining of a missing server.
        needed = {need for service in self._services for need in service.after}
        for wave in (
            [service for service in self._services if service.name not in needed],
            [service for service in self._services if service.name in needed],
        ):
            info = self._supervisor.info()
            for service in wave:
                if info[service.name]["pid"]:
                    progress(Progress(service.name, "stopping"))
            self._stop_services(wave)
        self._supervisor.shutdown()
        self._end_leftovers()
        progress(Progress("stack", "stopped"))
        return True

    def _stop_services(self, wave: list[Service]) -> None:
        for service in wave:
            self._supervisor.stop_service(service.name)
        names = {service.name for service in wave}
        while any(
            process["statename"] in ("RUNNING", "STARTING", "STOPPING", "BACKOFF")
            for name, process in self._supervisor.info().items()
            if name in names
        ):
            time.sleep(POLL_SECONDS)

    def _end_leftovers(self) -> bool:
        """End processes of this stack that outlived their supervisor; returns whether there were any."""
        left = [process for process in psutil.process_iter() if _mark_of(process) == str(self.settings.home)]
        for process in left:
            _quietly(process.terminate)
        _, stubborn = psutil.wait_procs(left, timeout=5)
        for process in stubborn:
            _quietly(process.kill)
        psutil.wait_procs(stubborn, timeout=5)
        return bool(left)

    def _status_of(self, service: Service, process: dict[str, object]) -> ServiceStatus:
        state = str(process.get("statename", "STOPPED"))
        running = state in ("RUNNING", "STARTING")
        start, now = float(str(process.get("start", 0))), float(str(process.get("now", 0)))
        health = service.check(start) if running else None
        pid = int(str(process["pid"])) if running else None
        return ServiceStatus(
            name=service.name,
            state=state,
            healthy=bool(health and health.ok),
            why=health.why if health else str(process.get("spawnerr") or ""),
            pid=pid,
            uptime=now - start if running else 0.0,
            memory=_memory(pid) if pid else 0,
            address=service.address,
            log=log_path(service.name, self.settings),
        )

    def _service(self, name: str) -> Service:
        for service in self._services:
            if service.name == name:
                return service
        raise UnknownService(f"there is no service {name!r}; there are {', '.join(self.names)}")

    def _with_needs(self, names: tuple[str, ...]) -> tuple[Service, ...]:
        wanted: set[str] = set()
        waiting = [self._service(name) for name in names]
        while waiting:
            service = waiting.pop()
            wanted.add(service.name)
            waiting += [self._service(need) for need in service.after]
        return tuple(service for service in self._services if service.name in wanted)

    def _check_state_folder(self) -> None:
        home = self.settings.home
        try:
            for folder in (home, self.settings.run_dir, self.settings.log_dir):
                folder.mkdir(parents=True, exist_ok=True)
            free = disk_usage(home).free
            with TemporaryFile(dir=home) as probe:
                probe.write(b"\0" * 4096)
                probe.flush()
        except OSError as error:
            raise StateFolderError(
                f"the state folder {home} cannot be written to ({error.strerror}); free it, "
                "or set TIDEMARK_HOME to another folder"
            ) from error
        if free < NEEDED_FREE_BYTES:
            raise StateFolderError(
                f"the disk of the state folder {home} has {free / 2**20:.0f} MB free and 1024 MB are needed; "
                "free some, or set TIDEMARK_HOME to a folder on another disk"
            )

    def _check_ports(self, wanted: tuple[Service, ...]) -> None:
        states = self._supervisor.info() if self._supervisor.running() else {}
        for service in wanted:
            if states.get(service.name, {}).get("statename") in ("RUNNING", "STARTING"):
                continue
            for port in service.ports:
                if _taken(port.number):
                    raise PortTaken(_taken_message(service, port))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.settings.run_dir / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False


def _taken_message(service: Service, port: Port) -> str:
    by = ""
    try:
        for connection in psutil.net_connections("tcp"):
            if (
                connection.status == psutil.CONN_LISTEN
                and connection.laddr.port == port.number
                and connection.pid
            ):
                by = f" by process {connection.pid} ({psutil.Process(connection.pid).name()})"
                break
    except psutil.Error:
        pass  # whose port it is may be another user's secret; the line is complete without it
    return (
        f"port {port.number}, which {service.name} needs, is taken{by}; end that process or set "
        f"{port.variable} to a free port"
    )


def _mark_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None


def _memory(pid: int) -> int:
    total = 0
    try:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            info = process.memory_full_info()
            total += getattr(info, "pss", info.rss)
    except psutil.Error:
        pass  # it ended while being looked at
    return total


def _quietly(end: Callable[[], None]) -> None:
    with suppress(psutil.NoSuchProcess):
        end()
