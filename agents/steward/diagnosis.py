"""From signs to faults: an ordered list of rules, each of which takes the signs that its fault explains.

A sign that another fault brings with it (fewer rows where rows came late, strange prices where the unit is
wrong) is that fault's evidence and no fault of its own. What no rule explains is said to be unknown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

from agents.steward.case import Fault, Finding, Severity, Sign, SignKind

_HIGH, _MEDIUM = 0.05, 0.01


class Signs:
    """The signs that no fault has taken yet."""

    def __init__(self, signs: Iterable[Sign]) -> None:
        self._left = list(signs)

    def of(
        self, *kinds: SignKind, table: str = "", day: date | None = None, column: str | None = None
    ) -> list[Sign]:
        return [
            sign
            for sign in self._left
            if sign.kind in kinds
            and (not table or sign.table == table)
            and (day is None or sign.day == day)
            and (column is None or sign.column == column)
        ]

    def about(self, sign: Sign, *kinds: SignKind) -> list[Sign]:
        """Those of the same column on the same day."""
        return self.of(*kinds, table=sign.table, day=sign.day, column=sign.column)

    def take(self, *taken: Sequence[Sign]) -> tuple[Sign, ...]:
        """Take these signs; another rule will not see them."""
        all_ = [sign for signs in taken for sign in signs]
        ids = {id(sign) for sign in all_}
        self._left = [sign for sign in self._left if id(sign) not in ids]
        return tuple({id(sign): sign for sign in all_}.values())


def diagnose(signs: Iterable[Sign]) -> tuple[Finding, ...]:
    """The faults that the signs show, the gravest first; none when there are no signs."""
    left = Signs(signs)
    found = _with_failing([finding for rule in _RULES for finding in rule(left)], left)
    order = {"high": 0, "medium": 1, "low": 2}
    return tuple(sorted(_merged(found), key=lambda f: (f.fault == "unknown", order[f.severity], -f.rows)))


def _with_failing(found: list[Finding], left: Signs) -> list[Finding]:
    """The rows that fail a check are of a fault of their table and day, or of one that is not known."""
    for sign in left.of("failing"):
        at = next((n for n, f in enumerate(found) if f.table == sign.table and sign.day in f.days), None)
        if at is None:
            found.append(_finding("unknown", sign, (sign,), of=0, doubt="no_name"))
        else:
            found[at] = found[at].model_copy(update={"signs": (*found[at].signs, sign)})
    return found


def _finding(
    fault: Fault, sign: Sign, signs: tuple[Sign, ...], *, rows: int | None = None, of: int | None = None,
    table: str = "", column: str | None = None, doubt: str = "",
) -> Finding:  # fmt: skip
    rows = max((s.rows for s in signs if s.kind == sign.kind), default=0) if rows is None else rows
    of = max((s.of_rows for s in signs), default=0) if of is None else of
    column = sign.column if column is None else column
    return Finding(
        fault=fault, table=table or sign.table, days=(sign.day,) if sign.day else (),
        columns=(column,) if column else (), rows=rows, of_rows=of, severity=_severity(fault, rows, of),
        signs=signs, doubt=doubt,
    )  # fmt: skip


def _severity(fault: Fault, rows: int, of: int) -> Severity:
    share = rows / of if of else 1.0
    if fault == "missing_table" or share >= _HIGH:
        return "high"
    return "medium" if share >= _MEDIUM else "low"


def _missing(left: Signs) -> Iterable[Finding]:
    for sign in left.of("no_table"):
        same = left.of("no_table", table=sign.table)
        if sign not in same:
            continue
        broken = [s for s in left.of("orphans", "childless") if s.words.get("other") == sign.table]
        refused = [s for s in left.of("refused") if sign.table in s.words["reason"]]
        yield _finding("missing_table", sign, left.take(same, broken, refused), rows=0, of=0)


def _late(left: Signs) -> Iterable[Finding]:
    for sign in left.of("arrived_late"):
        lag = int(sign.figures["days late"])
        came = date.fromisoformat(sign.words["came"])
        if lag < 1 or left.of("shifted", table=sign.table, day=came):
            continue
        short = left.of("fewer_rows", "no_rows", table=sign.table, day=sign.day)
        if any(sign.rows < 0.3 * s.rows for s in short):
            # Most of what is missing never came.
            continue
        brought = left.of("more_rows", "repeated", "loaded_again", "two_loads", table=sign.table, day=came)
        also: tuple[SignKind, ...] = ("redistributed", "moved_out", "empty", "childless", "orphans")
        moved = [s for day in (sign.day, came) for s in left.of(*also, table=sign.table, day=day)]
        around = [
            s for s in left.of("orphans", "childless", day=sign.day) if s.words.get("other") == sign.table
        ]
        usual = short[0].figures["expected"] if short else sign.of_rows
        yield _finding(
            "late",
            sign,
            left.take([sign], short, brought, moved, around),
            of=max(int(usual), sign.rows),
            column="",
        )


def _doubled(left: Signs) -> Iterable[Finding]:
    for sign in left.of("loaded_again", "repeated"):
        with_it = left.of(
            "loaded_again", "repeated", "more_rows", "two_loads", "redistributed", "empty",
            table=sign.table, day=sign.day,
        )  # fmt: skip
        if sign in with_it:
            rows = max(s.rows for s in with_it if s.kind in ("loaded_again", "repeated"))
            # Twice the rows are no more evidence of how they are distributed.
            signs = tuple(one for one in left.take(with_it) if one.kind != "redistributed")
            yield _finding("doubled", sign, signs, rows=rows, column="")


def _negative(left: Signs) -> Iterable[Finding]:
    for sign in left.of("negative"):
        same = left.about(sign, "negative", "rewritten", "redistributed")
        if signs := left.take(same):
            yield _finding("negative", sign, signs)


def _wrong_unit(left: Signs) -> Iterable[Finding]:
    for sign in left.of("scaled"):
        same = left.about(sign, "scaled", "rewritten", "redistributed")
        if sign not in same:
            continue
        exact = any("pairs" in s.figures for s in same if s.kind == "scaled")
        signs = left.take(same)
        rows = max(s.rows for s in signs if s.kind == "scaled")
        doubt = "" if exact else "by_values_only" if rows >= 5 else "few_values"
        yield _finding("wrong_unit", sign, signs, rows=rows, doubt=doubt)


def _truncated(left: Signs) -> Iterable[Finding]:
    for sign in left.of("fewer_rows", "no_rows"):
        with_it = left.of("redistributed", "moved_out", "arrived_late", table=sign.table, day=sign.day)
        # Hours that seem moved because the rest of the day is missing; what rows of two days say is kept.
        hours = [s for s in left.of("shifted", table=sign.table, day=sign.day) if "pairs" not in s.figures]
        around = [
            s for s in left.of("orphans", "childless", day=sign.day) if s.words.get("other") == sign.table
        ]
        own = left.of("childless", table=sign.table, day=sign.day)
        signs = left.take([sign], with_it, hours, around, own)
        expected = int(sign.figures["expected"])
        if sign.kind == "no_rows":
            yield _finding("late", sign, signs, rows=expected, of=expected, doubt="not_there_yet")
        else:
            # Rows elsewhere that name what is lacking are a fact; else there may have been less to deliver.
            doubt = "" if around else "less_to_deliver"
            yield _finding("truncated", sign, signs, rows=sign.rows, of=expected, column="", doubt=doubt)


def _time_shift(left: Signs) -> Iterable[Finding]:
    for sign in left.of("shifted"):
        same = left.about(sign, "shifted", "rewritten", "redistributed")
        if sign not in same:
            continue
        early = [s for s in left.of("arrived_late", table=sign.table) if s.words.get("came") == str(sign.day)]
        exact = any("pairs" in s.figures for s in same)
        signs = left.take(same, early, left.of("moved_out", table=sign.table, day=sign.day))
        yield _finding(
            "time_shift", sign, signs, rows=max(s.rows for s in signs), doubt="" if exact else "by_hours_only"
        )


def _references(left: Signs) -> Iterable[Finding]:
    for sign in left.of("orphans"):
        other = sign.words["other"]
        without = [
            s for s in left.of("childless", table=other, day=sign.day) if s.words["other"] == sign.table
        ]
        inside = sign.figures["inside"] / max(1, sign.figures["keys"])
        signs = left.take([sign], without)
        if not signs:
            continue
        if inside < 0.5 or without:
            yield _finding("broken_reference", sign, signs, rows=sign.rows, of=sign.of_rows)
        else:
            # The keys lie among those that the other table has: it is the other table that lacks rows.
            yield _lacking(sign, signs, other, int(sign.figures["keys"]))
    for sign in left.of("childless"):
        signs = left.take([sign])
        if signs:
            yield _lacking(sign, signs, sign.words["other"], sign.rows)


def _lacking(sign: Sign, signs: tuple[Sign, ...], table: str, rows: int) -> Finding:
    """Rows that a table lacks, as seen from another: of how many is not known."""
    found = _finding("truncated", sign, signs, table=table, column="", rows=rows, of=0, doubt="or_reference")
    return found.model_copy(update={"severity": "low" if sign.rows < _MEDIUM * sign.of_rows else "medium"})


def _drifted(left: Signs) -> Iterable[Finding]:
    for sign in left.of("redistributed"):
        if left.about(sign, "new_values", "empty"):
            continue
        same = left.about(sign, "rewritten")
        if signs := left.take([sign], same):
            yield _finding("drifted", sign, signs, rows=sign.rows, of=sign.of_rows, doubt="may_be_so")


def _unknown(left: Signs) -> Iterable[Finding]:
    strange: tuple[SignKind, ...] = (
        "rewritten", "new_values", "empty", "more_rows", "two_loads", "redistributed", "moved_out",
        "arrived_late", "not_a_number", "refused",
    )  # fmt: skip
    for sign in left.of(*strange):
        same = left.about(sign, *strange)
        if signs := left.take(same) if sign in same else ():
            # Of another distribution are all rows of a day; what else is strange of it says which.
            rows = [s.rows for s in signs if s.kind != "redistributed"] or [sign.rows]
            yield _finding("unknown", sign, signs, rows=max(rows), doubt="no_name")


_RULES: tuple[Callable[[Signs], Iterable[Finding]], ...] = (
    _missing, _late, _doubled, _negative, _wrong_unit, _truncated, _time_shift, _references, _drifted,
    _unknown,
)  # fmt: skip


def _merged(found: Sequence[Finding]) -> list[Finding]:
    """One finding for the columns of a day, and for days that follow each other."""
    by_day: dict[tuple[Fault, str, tuple[date, ...]], list[Finding]] = defaultdict(list)
    for finding in found:
        by_day[finding.fault, finding.table, finding.days].append(finding)
    out: list[Finding] = []
    for same in sorted(map(_joined, by_day.values()), key=lambda f: (f.fault, f.table, f.days)):
        last = out[-1] if out else None
        if (
            last is not None and last.days and same.days
            and (last.fault, last.table, last.columns) == (same.fault, same.table, same.columns)
            and same.days[0] - last.days[-1] == timedelta(days=1)
        ):  # fmt: skip
            out[-1] = last.model_copy(
                update={
                    "days": last.days + same.days, "rows": last.rows + same.rows,
                    "of_rows": last.of_rows + same.of_rows, "signs": last.signs + same.signs,
                }
            )  # fmt: skip
        else:
            out.append(same)
    return out


def _joined(same: list[Finding]) -> Finding:
    first = max(same, key=lambda f: f.rows)
    if len(same) == 1:
        return first
    columns = tuple(dict.fromkeys(c for f in same for c in f.columns))
    signs = tuple(s for f in same for s in f.signs)
    return first.model_copy(update={"columns": columns, "signs": signs})
