"""`make eval`: questions with gold answers, put to the analyst; counts of what the answers are worth.

Of the held-out halves only counts by kind are printed, whatever happens: nobody is to tune to single cases.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import yaml
from rich.console import Console

from evaluation import tally
from evaluation.analysts import Read
from evaluation.asking import GoldRows, Judged, judged
from evaluation.fit import Tried, fit, further, show, tried
from evaluation.projects import PROJECTS, ROOT, build, served
from evaluation.questions import HALVES, Half, halves, load, sets
from warehouse import connect

_BOUNDS = Path(__file__).with_name("bounds.yml")
_SHOWN_ROWS = 6


def main(told: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(told)
    if arguments.action == "ask" and arguments.verbose and arguments.half != "development":
        print("-v is for --half development alone: no held-out question is shown.", file=sys.stderr)
        return 2
    # Wide enough for a row a line where no terminal says its width.
    console = Console(width=max(Console().width, 200))
    found: list[Judged] = []
    with served(arguments.folder) as url:
        if arguments.action == "fit":
            _fit(url, arguments, console)
            return 0
        for name in arguments.set or sets():
            for half in halves(name):
                if half in (arguments.half or half):
                    found += _half(name, half, url, arguments, console)
    _print(console, found)
    return _over_the_bound(found) if arguments.bounded else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evaluation", description=__doc__)
    parser.add_argument("action", nargs="?", choices=("ask", "fit"), default="ask", help="fit: see fit.py")
    parser.add_argument("--set", action="append", choices=sets(), help="of these projects only")
    parser.add_argument("--half", choices=HALVES, help="this half only")
    parser.add_argument("--kind", action="append", default=[], help="these kinds of question only")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="N questions of each half")
    parser.add_argument("-v", "--verbose", action="store_true", help="show what is not right")
    parser.add_argument("--write", action="store_true", help="keep what was fitted, and docs/calibration.md")
    labelled = "fit: questions with known intents"
    parser.add_argument("--further", action="append", type=Path, default=[], metavar="FILE", help=labelled)
    parser.add_argument("--bounded", action="store_true", help=f"fail beyond the bounds of {_BOUNDS.name}")
    parser.add_argument("--folder", type=Path, default=ROOT / ".tidemark" / "evaluation", help="what is kept")
    return parser


def _half(name: str, half: Half, url: str, arguments: argparse.Namespace, console: Console) -> list[Judged]:
    """One half of one set, asked; a failure of the held-out one says nothing of what was asked."""
    with _closed(half == "heldout"):
        settings = build(PROJECTS[name], arguments.folder, url)
        reader = connect(settings, read_only=True)
        golds = GoldRows(reader, arguments.folder / f"{name}.gold.json")
        asker = Read(settings)
        questions = load(name, half, arguments.kind, arguments.sample)
        print(f"{name}, {half}: {len(questions)} questions", file=sys.stderr, flush=True)
        found: list[Judged] = []
        for one in judged(name, half, questions, asker, golds):
            if arguments.verbose and one.grade != "right":
                _show(console, one)
            found.append(one)
        golds.keep()
        reader.close()
        return found


def _fit(url: str, arguments: argparse.Namespace, console: Console) -> None:
    found: list[Tried] = []
    for name in arguments.set or sets():
        if "development" not in halves(name):
            continue
        settings = build(PROJECTS[name], arguments.folder, url)
        golds = GoldRows(connect(settings, read_only=True), arguments.folder / f"{name}.gold.json")
        print(f"{name}: readings of the development questions", file=sys.stderr, flush=True)
        questions = load(name, "development", arguments.kind, arguments.sample)
        asker = Read(settings)
        more = (one for path in arguments.further for one in further(path, name, asker))
        for one in chain(tried(questions, asker, golds), more):
            if arguments.verbose and one.readings and not (one.answers and one.good[0]):
                show(one, console)
            found.append(one)
        golds.keep()
    fit(found, console, write=arguments.write)


@contextmanager
def _closed(quiet: bool) -> Iterator[None]:
    """Where `quiet`, let nothing out that could quote a question: no log, no error's words."""
    if not quiet:
        yield
        return
    logging.disable(logging.CRITICAL)
    try:
        yield
    except Exception as error:
        where = error.__traceback__
        while where and where.tb_next:
            where = where.tb_next
        place = f"{Path(where.tb_frame.f_code.co_filename).name}:{where.tb_lineno}" if where else ""
        raise SystemExit(f"a held-out half broke off: {type(error).__name__} at {place}") from None
    finally:
        logging.disable(logging.NOTSET)


def _show(console: Console, one: Judged) -> None:
    question, given = one.question, one.given
    console.rule(f"{question.id} {question.kind} {question.language}: {one.grade}", align="left")
    lines = [question.question, f"given: {given.kind} {given.text}".strip()]
    for rows, ordered in one.gold:
        lines.append(f"gold{' (ordered)' if ordered else ''}: {_rows(rows)}")
    lines += [f"to be declined: {question.why}"] * bool(question.why)
    lines += [f"readings: {' | '.join(question.readings)}"] * bool(question.readings)
    if given.kind == "answered":
        lines += [f"rows ({', '.join(given.labels)}): {_rows(given.rows)}", given.sql]
    lines += [f"asked back: {' | '.join(given.readings)}"] * bool(given.readings)
    console.print("\n".join(lines), markup=False, highlight=False)


def _rows(rows: Sequence[Sequence[object]]) -> str:
    shown = "; ".join(", ".join(map(str, row)) for row in rows[:_SHOWN_ROWS])
    return shown + (f" … {len(rows)} rows" if len(rows) > _SHOWN_ROWS else "")


def _print(console: Console, found: Sequence[Judged]) -> None:
    console.print(tally.table("set", found, lambda one: f"{one.of}, {one.half}"))
    console.print()
    for half in HALVES:
        there = [one for one in found if one.half == half]
        if there:
            console.print(tally.table(f"kind, {half}", there, lambda one: one.question.kind))
            console.print()
            console.print(tally.table(f"language, {half}", there, lambda one: one.question.language))
            console.print()
            reliable = tally.reliability_table(there)
            if reliable:
                console.print(reliable)
                console.print()
    if why := tally.reasons(found):
        console.print(why)
        console.print()
    console.print(tally.seconds(found))
    console.print(tally.suggestions(found))


def _over_the_bound(found: Sequence[Judged]) -> int:
    """1 where more of the answers are wrong, or fewer of the questions answered right, than is allowed."""
    bounds = yaml.safe_load(_BOUNDS.read_text("utf-8"))
    counts = tally.Counts.over(found)
    wrong, right = counts.wrong_share or 0.0, counts.right_share or 0.0
    too_bad = []
    if wrong > bounds["wrong_of_answers"]:
        too_bad.append(f"{wrong:.1%} of the answers are wrong, over {bounds['wrong_of_answers']:.1%}")
    if right < bounds["right_of_answerable"]:
        too_bad.append(f"{right:.1%} of the answerable are right, under {bounds['right_of_answerable']:.1%}")
    print("; ".join(too_bad) or "within the bounds", flush=True)
    return 1 if too_bad else 0


if __name__ == "__main__":
    sys.exit(main())
