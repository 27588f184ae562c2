"""Reading the services' log files: the end of one, and what is added to several."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

TAIL_BYTES = 256 * 1024


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a file (of its last 256 KiB); none when there is no file."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            return file.read().decode("utf-8", "replace").splitlines()[-lines:]
    except FileNotFoundError:
        return []


def last_words(path: Path) -> str:
    """The last line that says what went wrong, else the last line: what to quote in one line."""
    said = [line.strip() for line in tail(path, 60) if line.strip()]
    telling = [line for line in said if "Error" in line or "Exception" in line or "ERROR" in line]
    return (telling or said or [""])[-1][:300]


def follow(files: Mapping[str, Path], poll_seconds: float = 0.3) -> Iterator[str]:
    """New lines of the files as they come, for ever; with several files each line names its own."""
    offsets = {name: path.stat().st_size if path.exists() else 0 for name, path in files.items()}
    while True:
        for name, path in files.items():
            size = path.stat().st_size if path.exists() else 0
            if size < offsets[name]:  # rotated
                offsets[name] = 0
            if size == offsets[name]:
                continue
            with path.open("rb") as file:
                file.seek(offsets[name])
                new = file.read()
            complete = new.rpartition(b"\n")[0]
            if not complete:
                continue
            offsets[name] += len(complete) + 1
            for line in complete.decode("utf-8", "replace").splitlines():
                yield line if len(files) == 1 else f"{name}: {line}"
        time.sleep(poll_seconds)
