"""The supervisor's configuration says of each service what keeps it alive and what ends it wholly."""

from __future__ import annotations

import configparser
import shlex
from pathlib import Path

import pytest

from embedded.kafka import render_properties
from embedded.services import services
from embedded.settings import EmbeddedSettings
from embedded.supervision import render


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EmbeddedSettings:
    for user in ("", "READER_"):
        monkeypatch.delenv(f"TIDEMARK_WAREHOUSE_{user}PASSWORD", raising=False)
    return EmbeddedSettings(home=tmp_path / "50% of it")


def parsed(settings: EmbeddedSettings) -> configparser.RawConfigParser:
    conf = configparser.RawConfigParser()
    conf.read_string(render(services(settings), settings))
    return conf


def test_each_service_is_restarted_and_ends_with_its_children(settings: EmbeddedSettings) -> None:
    conf = parsed(settings)
    programs = [section for section in conf.sections() if section.startswith("program:")]
    assert [name.removeprefix("program:") for name in programs] == [s.name for s in services(settings)]
    for program in programs:
        assert conf.getboolean(program, "autorestart")
        assert conf.getboolean(program, "stopasgroup")
        assert conf.getboolean(program, "killasgroup")
        assert not conf.getboolean(program, "autostart"), "started when what it needs is healthy"
        assert conf.get(program, "stdout_logfile_backups") > "0"


def test_commands_survive_the_configuration(settings: EmbeddedSettings) -> None:
    conf = parsed(settings)
    for service in services(settings):
        written = conf.get(f"program:{service.name}", "command").replace("%%", "%")
        assert shlex.split(written) == service.command


def test_no_key_is_written_into_the_configuration(settings: EmbeddedSettings) -> None:
    secrets = settings.airflow_secrets
    passwords = settings.warehouse_environment().values()
    text = render(services(settings), settings)
    assert not any(password in text for password in passwords)
    assert secrets.jwt_secret not in text
    assert secrets.password not in text


def test_needs_stand_before_what_needs_them(settings: EmbeddedSettings) -> None:
    seen: set[str] = set()
    for service in services(settings):
        assert set(service.after) <= seen
        seen.add(service.name)


def test_every_port_has_one_owner_and_its_own_variable(settings: EmbeddedSettings) -> None:
    ports = [port for service in services(settings) for port in service.ports]
    assert len({port.number for port in ports}) == len({port.variable for port in ports}) == len(ports)
    for port in ports:
        field = port.variable.removeprefix("TIDEMARK_").lower()
        assert getattr(settings, field) == port.number


def test_a_record_of_two_megabytes_fits_even_as_a_dead_letter_in_base64(settings: EmbeddedSettings) -> None:
    properties = dict(line.split("=", 1) for line in render_properties(settings).splitlines())
    assert int(properties["message.max.bytes"]) > 2 * 1024 * 1024 * 4 / 3
    assert properties["log.dirs"] == str(settings.home / "kafka" / "data")
