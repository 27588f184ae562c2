"""The stack's commands: up, stop, status, logs, restart, env; and what leads this process to it."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from embedded.settings import EmbeddedSettings
from embedded.stack import Progress, ServiceStatus, Stack
from embedded.warehouse_server.sandbox import NOT_CONFINED, can_confine
from tidemark.console import console, fail
from wiring.errors import TidemarkError

if TYPE_CHECKING:
    from wiring.settings import Settings


@contextmanager
def plain_errors() -> Iterator[None]:
    """What any room refuses ends the command with its one line and exit code 1."""
    try:
        yield
    except TidemarkError as error:
        fail(str(error))


def client_settings(warehouse: str = "") -> Settings:
    """What leads this process to the stack, unless its variables name a real Kafka, a real warehouse.

    `warehouse` goes before either; see `Settings.read`, which also says what is raised.
    """
    from wiring.settings import Settings

    stack = EmbeddedSettings()
    told = stack.client_environment()
    if os.environ.get("TIDEMARK_WAREHOUSE_URL", stack.warehouse_url) != stack.warehouse_url:
        # Another server is not shown this one's passwords.
        told = {name: value for name, value in told.items() if not name.endswith("_PASSWORD")}
    return Settings.read(told, warehouse=warehouse)


def show(progress: Progress) -> None:
    """One line for each step of a service."""
    seconds = f" after {progress.seconds:.1f} s" if progress.state == "healthy" else ""
    colour = {"healthy": "green", "running": "green"}.get(progress.state, "dim")
    console.print(f"  {progress.service:<22} [{colour}]{progress.state}[/]{seconds}")


def up() -> None:
    """Start the stack; what runs already is kept."""
    with plain_errors():
        stack = Stack()
        stack.up(show)
        console.print(f"Airflow: {stack.settings.airflow_url} ({_login(stack)})")


def stop() -> None:
    """Stop the stack; all state stays."""
    with plain_errors():
        if not Stack().stop(show):
            console.print("The stack is not running.")


def status() -> None:
    """Services, their health, where they listen. Exit code 3 when something that should run does not."""
    with plain_errors():
        stack = Stack()
        services = stack.status()
    if not can_confine():
        console.print(f"[yellow]the warehouse is not confined to its folder[/]: {NOT_CONFINED}")
    console.print(_table(services))
    if any(service.pid for service in services):
        console.print(f"Airflow's login: {_login(stack)}")
    console.print(f"logs: {stack.settings.log_dir}")
    if project := _connected():
        console.print(f"questions are about: {escape(project)}")
    if waiting := _spooled():
        console.print(f"[yellow]telemetry[/]: {waiting}")
    for service in services:
        if service.why:
            console.print(f"[yellow]{service.name}[/]: {escape(service.why)}")
    if not all(service.healthy for service in services):
        raise typer.Exit(3)


def logs(
    service: Annotated[str | None, typer.Argument(help="one service; without it, all")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on with what comes")] = False,
) -> None:
    """The newest lines of the services' logs."""
    with plain_errors():
        for line in Stack().logs(service, following=follow):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


def restart(service: Annotated[str, typer.Argument(help="as `tidemark status` names it")]) -> None:
    """Stop one service and start it again."""
    with plain_errors():
        Stack().restart(service, show)


def env() -> None:
    """The variables that lead dbt and other clients to this stack: eval "$(tidemark env)"."""
    for name, value in EmbeddedSettings().client_environment().items():
        print(f"export {name}={shlex.quote(value)}")


def _login(stack: Stack) -> str:
    secrets = stack.settings.airflow_secrets
    return f"user {secrets.user}, password {secrets.password}"


def _connected() -> str:
    from wiring.project import connected

    project = connected(client_settings())
    return f"{project.name} ({project.folder})" if project else ""


def _spooled() -> str:
    from wiring.records import spooled_bytes

    settings = client_settings()
    size, spool = spooled_bytes(settings), settings.streaming
    if not size:
        return ""
    return (
        f"{size / 2**20:.1f} MB of at most {spool.spool_limit_bytes / 2**20:.0f} MB wait in "
        f"{spool.spool_dir} for Kafka; the next run sends them"
    )


def _table(services: list[ServiceStatus]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("service", "state"):
        table.add_column(heading, no_wrap=True)
    for heading in ("pid", "up", "memory"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("address", no_wrap=True)
    for service in services:
        if service.pid:
            state = "[green]healthy[/]" if service.healthy else "[red]not healthy[/]"
            numbers = (str(service.pid), _duration(service.uptime), f"{service.memory / 2**20:.0f} MB")
        else:
            state, numbers = f"[dim]{service.state.lower()}[/]", ("", "", "")
        table.add_row(service.name, state, *numbers, service.address)
    return table


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{rest:02}s"
