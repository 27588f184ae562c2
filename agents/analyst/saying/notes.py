"""What is said beside the figures: periods that still run and how they were compared, days without data, what
a word was taken for, keys that nothing is known of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from agents.analyst.grammar.naming import metrics_in
from agents.analyst.grammar.when import Calendar
from agents.analyst.intent import AllOf, AnyOf, By, Every, Intent, Is, Period, Periods, Share, Slice
from agents.analyst.saying.coverage import Coverage, halves
from agents.analyst.saying.labels import shown_period
from agents.analyst.saying.names import Names, inside, noun
from agents.analyst.saying.table import Table
from agents.analyst.saying.texts import say
from agents.analyst.sql.compile import named
from agents.analyst.sql.meaning import Meanings

_UNITS = ("week", "month", "quarter", "half", "year")


@dataclass(frozen=True)
class Chosen:
    """A word that may mean several things, the one that it was taken for, and the others, by their labels."""

    said: str
    taken: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spelt:
    """A word that was read as another."""

    said: str
    taken: str


def notes(
    intent: Intent,
    table: Table,
    coverage: Coverage,
    names: Names,
    language: str,
    choices: Sequence[Chosen | Spelt] = (),
    whole: str = "",
    nameless: str = "",
) -> list[str]:
    """What must be said beside a result. `whole` is the figure of all of the earlier period, where only the
    same days of it were compared: see `whole_before`. `nameless` are the figures of what is not ranked.
    """
    found = [_choice(one, language) for one in choices]
    found += _running(intent, coverage.calendar, names, language, whole)
    timed = any(isinstance(group, Every | Periods) for group in intent.groups)
    if intent.window is None and not timed and not _has_window(intent.measures):
        found.append(say("all_time", language))
    found += _none_by_definition(intent, table, names, language)
    found += [say("overlap", language)] if intent.groups and _overlaps(intent, names) else []
    found += halves(table, coverage, language)
    if nameless:
        keys = say("or", language).join(
            dict.fromkeys(noun(group.dimension, names, language) for group in named(intent))
        )
        found.append(say("nameless", language, keys, nameless))
    found += [
        say("unknown_key", language, inside(column.label))
        for column in table.of_role("category")
        if None in table.values(column)
    ]
    found += [
        say("shared_name", language, str(value), f"{names.shared(one.dimension)[str(value)]:,}")
        for one in _named_values(intent.where)
        if By(dimension=one.dimension) not in intent.groups
        for value in one.values
        if str(value) in names.shared(one.dimension)
    ]
    return list(dict.fromkeys(found))


def _none_by_definition(intent: Intent, table: Table, names: Names, language: str) -> Iterator[str]:
    """A 0 of some rows may be so by what the figure is: revenue of what was cancelled."""
    if intent.where is None or not table.rows or not table.empty:
        return
    for name in metrics_in(intent.measures):
        known = names.semantic.metrics[name]
        if known.sums_some and known.description:
            yield say("by_definition", language, names.phrase(name, language), known.description.strip())


def left_out(table: Table, language: str) -> list[str]:
    """That there are more rows than those shown, and in each of what."""
    if table.extent not in ("top", "cut"):
        return []
    keys = [table.index(name) for name in table.partition]
    most = max(Counter(tuple(row[key] for key in keys) for row in table.rows).values())
    parts = say("join", language).join(inside(table.columns[key].label) for key in keys)
    return [say("more_each" if parts else "more", language, f"{most:,}", parts)]


def running_unit(window: Period | None, calendar: Calendar) -> Period | None:
    """The calendar unit that a window is as much of as there is by now, or as many days of as are over: this
    month; None where it is none.
    """
    if window is None or window.start is None or window.end not in (calendar.today, calendar.tomorrow):
        return None
    for unit in _UNITS:
        end = calendar.step(window.start, unit)
        if calendar.floor(window.start, unit) == window.start and end > calendar.tomorrow:
            return Period(start=window.start, end=end)
    return None


def whole_before(intent: Intent, calendar: Calendar) -> Intent | None:
    """Where only the same days of an earlier period were compared: what asks for all of it."""
    now, before = running_unit(intent.window, calendar), intent.against
    if now is None or before is None or before.start is None or now.start is None or now.end is None:
        return None
    unit = next(one for one in _UNITS if calendar.step(now.start, one) == now.end)
    whole = Period(start=before.start, end=calendar.step(before.start, unit))
    if whole == before or calendar.floor(before.start, unit) != before.start:
        return None
    changes = {"window": whole, "against": None, "order": None, "limit": None, "partition": (), "having": ()}
    return intent.model_copy(update=changes)


def _overlaps(intent: Intent, names: Names) -> bool:
    """Whether shares are of what is counted once, and may be in several groups."""
    meanings = Meanings(names.semantic)
    shares = (one for one in intent.measures if isinstance(one, Share) and one.of_which is None)
    return any(meanings.additivity(one.of).kind == "distinct" for one in shares)


def _running(intent: Intent, calendar: Calendar, names: Names, language: str, whole: str) -> list[str]:
    """A period that is not over is compared with as much of the other."""
    now = running_unit(intent.window, calendar)
    if now is None or intent.window is None:
        return []
    unit = shown_period(now, names, language)
    if intent.against is None:
        # A series says itself which of its periods is not whole.
        return [] if intent.groups else [say("so_far", language, unit, f"{calendar.now:%Y-%m-%d}")]
    sides = (shown_period(one, names, language) for one in (intent.window, intent.against))
    found = [say("alike", language, unit, *sides)]
    if whole and (all_of := whole_before(intent, calendar)) and all_of.window:
        found.append(say("whole", language, shown_period(all_of.window, names, language), whole))
    return found


def _named_values(node: Any) -> Iterator[Is]:
    """Each place where rows of a value are asked for."""
    if isinstance(node, Is):
        yield node
    for one in getattr(node, "of", ()) if isinstance(node, AllOf | AnyOf) else ():
        yield from _named_values(one)


def _has_window(node: Any) -> bool:
    """Whether a measure says itself of which time it is."""
    if isinstance(node, Slice) and node.window is not None:
        return True
    inner = [value for _, value in node] if isinstance(node, BaseModel) else node
    return isinstance(inner, list | tuple) and any(map(_has_window, inner))


def _choice(one: Chosen | Spelt, language: str) -> str:
    if isinstance(one, Spelt):
        return say("spelling", language, one.said, one.taken)
    if not one.others:
        return say("chosen_only", language, one.said, one.taken)
    return say("chosen", language, one.said, one.taken, say("join", language).join(one.others))
