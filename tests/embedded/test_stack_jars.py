"""The jars come as locked or not at all."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from embedded import jars
from embedded.errors import JarError
from embedded.settings import EmbeddedSettings


@pytest.mark.parametrize("jar_set", jars.SETS)
def test_the_lock_holds_a_checksum_for_every_jar_and_no_address(jar_set: str) -> None:
    text = (jars.COORDINATES / jar_set / "jgo.lock.toml").read_text("utf-8")
    assert "://" not in text
    locked = jars.locked(jar_set)
    assert locked
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in locked)


def test_broker_and_clients_are_of_one_version() -> None:
    versions = {
        match[2]
        for jar in jars.locked("kafka")
        if (match := re.fullmatch(r"(kafka[a-z_.0-9-]*?)-(\d+\.\d+\.\d+)\.jar", jar.filename))
    }
    assert versions == {"4.2.0"}


def test_the_stream_job_gets_its_connector_and_nothing_else() -> None:
    assert [jar.filename for jar in jars.locked("flink")] == ["flink-sql-connector-kafka-5.0.0-2.2.jar"]


@pytest.fixture
def one_jar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EmbeddedSettings:
    """Settings of a state folder whose one locked jar is in place; Maven cannot be reached."""
    content = b"bytes of a jar"
    coordinates = tmp_path / "coordinates"
    for jar_set in jars.SETS:
        (coordinates / jar_set).mkdir(parents=True)
        shutil.copy(jars.COORDINATES / jar_set / "jgo.toml", coordinates / jar_set)
        (coordinates / jar_set / "jgo.lock.toml").write_text(
            '[[dependencies]]\nartifactId = "one"\nversion = "1"\nsha256 = "'
            + jars.sha256(content).hexdigest()
            + '"\n'
        )
        (tmp_path / "home" / "jars" / jar_set).mkdir(parents=True)
        (tmp_path / "home" / "jars" / jar_set / "one-1.jar").write_bytes(content)
    monkeypatch.setattr(jars, "COORDINATES", coordinates)
    monkeypatch.setenv("M2_REPO", str(tmp_path / "empty"))
    monkeypatch.setenv("JGO_OFFLINE", "1")
    return EmbeddedSettings(home=tmp_path / "home")


def test_what_is_in_place_needs_no_network(one_jar: EmbeddedSettings) -> None:
    jars.ensure(one_jar)
    jars.ensure(one_jar)


@pytest.mark.parametrize("harm", ["missing", "changed"])
def test_a_harmed_jar_that_cannot_be_fetched_again_is_one_clear_line(
    one_jar: EmbeddedSettings, harm: str
) -> None:
    jars.ensure(one_jar)
    jar = one_jar.jars_dir / "kafka" / "one-1.jar"
    jar.unlink()
    if harm == "changed":
        jar.write_bytes(b"other bytes")
    with pytest.raises(JarError, match=r"kafka jars could not be fetched .*network") as caught:
        jars.ensure(one_jar)
    assert "\n" not in str(caught.value)


def test_an_unreadable_lock_is_named(one_jar: EmbeddedSettings) -> None:
    lock = jars.COORDINATES / "flink" / "jgo.lock.toml"
    lock.write_text("no = [")
    with pytest.raises(JarError, match=re.escape(str(lock))):
        jars.ensure(one_jar)
