"""A conversation's earlier turns: kept by session, and compressed to a budget of tokens for a later stage.

What is compressed loses words, never figures: of a turn that is shown in short, every sentence stays that
has a figure, a quoted name or a name that the turn lists, and every listed figure and decision; its SQL goes
first. A turn that does not fit is dropped as a whole and listed, its decisions last of all. No model is
asked.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from agents.runtime.errors import PermanentError
from agents.runtime.messages import plain
from agents.runtime.steps import file_name
from agents.runtime.tokens import estimated

# After its newest turn; and of each conversation so many.
KEPT_DAYS = 90
KEPT_TURNS = 100
_FIGURE = (
    r"\d|[〇零一二两三四五六七八九十百千万亿]{2,}|没有|一半|翻倍"
    r"|\b(?:[Nn]one|[Zz]ero|[Hh]alf|[Dd]oubled?)\b"
)
_QUOTED = (
    r"“[^”]*”|‘[^’]*’|「[^」]*」|『[^』]*』|《[^》]*》|«[^»]*»"
    r'|"[^"]*"|`[^`]*`|(?<!\w)\'[^\']*(?:\'\w[^\']*)*\'(?!\w)'
)
_KEPT = re.compile(f"{_QUOTED}|{_FIGURE}")
_SENTENCE_END = re.compile(r"(?<=[。！？；\n])|(?<=[.!?;])\s+")
_CUT = "… "
_log = logging.getLogger(__name__)


class Turn(BaseModel):
    """One question of a conversation and its answer. `figures` are those of the answer with what they are of,
    `sql` is what it rests on, `decisions` are what was chosen or approved, `names` what was spoken of, in the
    words that a later question may use. `meaning` is the agent's own record of what was asked, as JSON; it
    is shown to nobody. `choices` is how many meanings the asker was left to choose from.
    """

    model_config = ConfigDict(frozen=True)

    run_id: str
    asked_at: AwareDatetime
    question: str
    answer: str
    figures: tuple[str, ...] = ()
    sql: str = ""
    names: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    meaning: dict[str, Any] = Field(default_factory=dict)
    choices: int = 0


@dataclass(frozen=True)
class History:
    """What a stage is shown of the turns before, and the run ids of those that are in it and that are not."""

    text: str = ""
    kept: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


def compressed(turns: Sequence[Turn], tokens: int) -> History:
    """The turns, oldest first, in at most so many tokens (see `tokens.estimated`).

    The newest go first: each in short as long as there is room, then, if there still is, in full.
    """
    shown: dict[int, str] = {}
    left = tokens - _cost(_heading(0, len(turns)))
    newest_first = range(len(turns) - 1, -1, -1)
    for number in newest_first:
        short = min((_rendered(turns[number], short=s) for s in (True, False)), key=_cost)
        if _cost(short) <= left:
            shown[number] = short
            left -= _cost(short)
    for number in newest_first:
        full = _rendered(turns[number], short=False)
        if number in shown and _cost(full) - _cost(shown[number]) <= left:
            left -= _cost(full) - _cost(shown[number])
            shown[number] = full
    dropped = [number for number in range(len(turns)) if number not in shown]
    for number in reversed(dropped):
        decided = "\n".join(_decided(turns[number]))
        if decided and _cost(decided) <= left:
            shown[number] = decided
            left -= _cost(decided)
    kept = [number for number in range(len(turns)) if number not in dropped]
    text = "\n".join([_heading(len(kept), len(turns)), *(shown[number] for number in sorted(shown))])
    return History(
        text if shown else "",
        tuple(turns[number].run_id for number in kept),
        tuple(turns[number].run_id for number in dropped),
    )


def _heading(kept: int, turns: int) -> str:
    left_out = f", the other {turns - kept} are left out" if turns > kept else ""
    return f"Earlier in this conversation ({kept} of {turns} questions{left_out}; … is words left out):"


def _cost(text: str) -> int:
    return estimated(f"{text}\n")


def _rendered(turn: Turn, *, short: bool) -> str:
    shortened = (lambda text: _essential(text, turn.names)) if short else str.strip
    lines = [f"[{turn.asked_at:%Y-%m-%d %H:%M}] Asked: {shortened(turn.question)}"]
    if turn.answer.strip():
        lines.append(f"Answered: {shortened(turn.answer)}")
    said = "\n".join(lines)
    if unsaid := [name for name in turn.names if name not in said]:
        lines.append(f"Spoken of: {', '.join(unsaid)}")
    if unsaid := [figure for figure in turn.figures if figure not in said]:
        lines.append(f"Figures: {'; '.join(unsaid)}")
    if turn.sql and not short:
        lines.append(f"By: {' '.join(turn.sql.split())}")
    return "\n".join([*lines, *_decided(turn)])


def _decided(turn: Turn) -> list[str]:
    return [f"Decided: {decision}" for decision in turn.decisions]


def _essential(text: str, names: Iterable[str]) -> str:
    """The sentences that hold what must survive, in their own words; the first one always."""
    text = text.strip()
    spans = [found.span() for found in _KEPT.finditer(text)]
    spans += [found.span() for name in names if name for found in re.finditer(re.escape(name), text)]
    parts: list[str] = []
    for start, end in _sentences(text):
        if not start or any(low < end and start < high for low, high in spans):
            parts.append(text[start:end])
        elif parts[-1] != _CUT:
            parts.append(_CUT)
    return "".join(parts).strip()


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Where each begins and ends, with the blanks after it."""
    starts = [0, *(end.end() for end in _SENTENCE_END.finditer(text))]
    return zip(starts, [*starts[1:], len(text)], strict=True)


class Turns:
    """The newest turns of all sessions, a file of JSON lines a session; many processes may add at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, session_id: str, turn: Turn) -> None:
        """Keep a turn; the same run's again takes its place. Raises PermanentError when that cannot be."""
        path = self._path(session_id)
        line = json.dumps(plain(turn.model_dump()), ensure_ascii=False, default=str) + "\n"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                self._prune()
            with _held(path) as file:
                before = path.read_bytes()
                # A process that was killed while it wrote has left a line without an end.
                torn = bool(before) and not before.endswith(b"\n")
                file.write(b"\n" * torn + line.encode())
                file.flush()
                os.fsync(file.fileno())
                if before.count(b"\n") >= 2 * KEPT_TURNS:
                    self._shorten(path)
        except OSError as error:
            raise PermanentError(
                f"The conversation's turn cannot be kept in {path}: {error}. "
                "Free space there or set TIDEMARK_STATE_DIR."
            ) from error

    def _shorten(self, path: Path) -> None:
        """Leave the newest turns alone in a file, which is replaced at once."""
        newest = _read(path)[-KEPT_TURNS:]
        draft = path.with_suffix(".draft")
        draft.write_text("".join(f"{turn.model_dump_json()}\n" for turn in newest), encoding="utf-8")
        draft.replace(path)

    def of(self, session_id: str) -> tuple[Turn, ...]:
        """The session's turns in the order in which they were asked; a line that cannot be read is said."""
        path = self._path(session_id)
        return _read(path)[-KEPT_TURNS:] if path.exists() else ()

    def _path(self, session_id: str) -> Path:
        return self._folder / f"{file_name(session_id)}.jsonl"

    def _prune(self) -> None:
        oldest = time.time() - KEPT_DAYS * 86_400
        for path in self._folder.glob("*.jsonl"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < oldest:
                    with _held(path):
                        # Somebody may have gone on with it while it was waited for.
                        if path.stat().st_mtime < oldest:
                            path.unlink()


@contextmanager
def _held(path: Path) -> Iterator[BinaryIO]:
    """The file to append to, which no other process writes meanwhile."""
    while True:
        with path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # Shortened or forgotten while it was waited for, it is another file now, or none.
            if path.exists() and os.fstat(file.fileno()).st_ino == path.stat().st_ino:
                yield file
                return


def _read(path: Path) -> tuple[Turn, ...]:
    turns: dict[str, Turn] = {}
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            turn = Turn.model_validate_json(line)
        except ValidationError as error:
            _log.warning("%s, line %d is no turn and is left out: %s", path, number, error)
            continue
        turns[turn.run_id] = turn
    return tuple(sorted(turns.values(), key=lambda turn: turn.asked_at))
