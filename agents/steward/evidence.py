"""The steward's questions to a warehouse, each a query, what it returned and the signs in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar

from agents.steward import distributions, measuring, queries, versions
from agents.steward.case import Cite, Evidence, FailedCheck, Record, Sign, Source
from agents.steward.queries import DAY, LOADED_AT
from agents.steward.statistics import LEAST_DAYS
from warehouse import Limits, Warehouse
from warehouse.errors import PermanentError

WINDOW_DAYS = 35
# What is asked which tables there are.
CATALOGUE = "catalogue"
_LIMITS = Limits(rows=200_000, seconds=60)
_SHOWN = 10
_MOST_KINDS = 200


class Measured(Record):
    """One question's evidence and signs."""

    evidence: Evidence
    signs: tuple[Sign, ...] = ()

    def plain(self) -> Measured:
        """With times as text, as they are after having been kept."""
        rows = tuple(tuple(_plain(cell) for cell in row) for row in self.evidence.rows)
        return self.model_copy(update={"evidence": self.evidence.model_copy(update={"rows": rows})})


class Extent(Record):
    """The days that are compared, and the rows that each table has of them."""

    first: date
    last: date
    sizes: dict[str, dict[date, int]]


def _plain(cell: Any) -> Any:
    # JSON has no NaN and no infinity.
    kept = math.isfinite(cell) if isinstance(cell, float) else cell is None or isinstance(cell, (str, int))
    return cell if kept else str(cell)


def _unseen(table: str, reason: str, cite: Cite) -> Sign:
    """A table that is not there; with a reason, one that the warehouse refused to read."""
    if not reason:
        return Sign(kind="no_table", table=table, cites=(cite,))
    # It is quoted as code, on one line.
    words = {"reason": " ".join(reason.replace("`", "'").split())[:300]}
    return Sign(kind="refused", table=table, words=words, cites=(cite,))


def _refused(evidence: Evidence, table: str, gone: bool = False) -> Measured:
    """What could not be asked, as evidence: the warehouse's words are its only row."""
    told = evidence.model_copy(update={"columns": ("refused, because",), "rows": ((evidence.refused,),)})
    sign = _unseen(table, "" if gone else evidence.refused, Cite(evidence=evidence.id, row=0))
    return Measured(evidence=told, signs=(sign,))


@dataclass
class Asking:
    """A reader, and the tables by name. `held` are the first and last day of the history, once counted."""

    reader: Warehouse
    sources: Mapping[str, Source]
    held: tuple[date, date] | None = None

    def _ask(self, id_: str, of: str, sql: str, keep: bool = True) -> tuple[Evidence, list[tuple[Any, ...]]]:
        """What came back; nothing, with the reason, when the warehouse refuses for good."""
        try:
            found = self.reader.query(sql, limits=_LIMITS)
        except PermanentError as error:
            return Evidence(id=id_, of=of, sql=sql, refused=str(error)), []
        rows = tuple(tuple(row) for row in found.rows) if keep else ()
        return Evidence(id=id_, of=of, sql=sql, columns=tuple(found.column_names), rows=rows), found.rows

    def _sql(self, tree: Any) -> str:
        return self.reader.dialect.render(tree)

    def volumes(self, upto: date | None = None, of: Collection[str] = ()) -> tuple[Extent, Measured]:
        """Rows a table and day, to be compared, as far as the day `upto`: all tables say how busy a day was,
        and of these (of all, if none is named) it is said what they lack.
        """
        of = of or self.sources
        sizes: dict[str, dict[date, int]] = {}
        gone: list[tuple[Any, ...]] = []
        refused: dict[str, str] = {}
        sqls = []
        there, unseen = self._there()
        for source in self.sources.values():
            sql = self._sql(queries.extent(source))
            sqls.append(sql)
            if there is None or source.name in there:
                counted, rows = self._ask("volumes", "", sql)
                sizes[source.name] = dict(rows)
                if counted.refused:
                    refused[source.name] = counted.refused
            if not sizes.get(source.name):
                is_there = there is None or source.name in there
                why = refused.get(source.name) or ("no row" if is_there else "no table")
                gone.append((source.name, None, 0, why))
        ends = [max(days) for days in sizes.values() if days]
        last = max(ends, default=date.min)
        if ends:
            self.held = (min(min(days) for days in sizes.values() if days), last)
        if upto is not None:
            last = min(last, upto)
        first = last - timedelta(days=WINDOW_DAYS - 1) if ends else last
        within: dict[str, dict[date, int]] = {}
        for name, days in sizes.items():
            # The first day of a history also delivers what was there before it.
            begin = max(first, min(days, default=first) + timedelta(days=1))
            span = (last - begin).days + 1
            within[name] = {
                begin + timedelta(days=n): days.get(begin + timedelta(days=n), 0) for n in range(max(0, span))
            }
        signs, cited = measuring.measure_volume(within, "volumes")
        signs = [sign for sign in signs if sign.table in of]
        within = {name: days for name, days in within.items() if name in of}
        signs += [
            _unseen(row[0], refused.get(row[0], ""), Cite(evidence="volumes", row=len(cited) + number))
            for number, row in enumerate(gone)
            if row[0] in of
        ]
        if unseen:
            cite = Cite(evidence="volumes", row=len(cited) + len(gone))
            gone.append((CATALOGUE, None, 0, unseen))
            signs.append(_unseen(CATALOGUE, unseen, cite))
        evidence = Evidence(
            id="volumes", of="rows by table and day", sql=";\n".join(sqls),
            columns=measuring.VOLUME_COLUMNS, rows=(*cited, *gone),
        )  # fmt: skip
        return Extent(first=first, last=last, sizes=within), Measured(evidence=evidence, signs=tuple(signs))

    def _there(self) -> tuple[set[str] | None, str]:
        """The tables that are there; none, and why, when the warehouse refuses for good to say it: then each
        must be asked.
        """
        try:
            return {table.qualified_name for table in self.reader.tables(list(self.sources))}, ""
        except PermanentError as error:
            return None, str(error)

    def questions(self, extent: Extent) -> list[tuple[str, str]]:
        """What there is to ask, as (question, table); nothing of a table that is not there."""
        asked = []
        referred = {r.table for source in self.sources.values() for r in source.references}
        for name, source in self.sources.items():
            days = extent.sizes.get(name, {})
            if sum(n > 0 for n in days.values()) < LEAST_DAYS:
                continue
            here = ["profile", "distributions", "versions"]
            here += ["orphans"] if source.references else []
            here += ["childless"] if name in referred else []
            here += ["arrivals"] if source.event_time else []
            asked += [(question, name) for question in here]
        return asked

    def answer(self, question: str, table: str, extent: Extent) -> list[Measured]:
        """Ask one of the `questions`."""
        found: Measured | list[Measured] = self._QUESTIONS[question](self, self.sources[table], extent)
        told = found if isinstance(found, list) else [found]
        return [_refused(one.evidence, table) if one.evidence.refused else one for one in told]

    def profile(self, source: Source, extent: Extent) -> Measured:
        days = extent.sizes[source.name]
        sql = self._sql(queries.profile(source, min(days), max(days)))
        evidence, _ = self._ask(
            f"profile {source.name}", "loads, keys, empty and negative values by day", sql
        )
        return Measured(evidence=evidence, signs=tuple(measuring.measure_profile(source, evidence)))

    def distributions(self, source: Source, extent: Extent) -> list[Measured]:
        days = extent.sizes[source.name]
        texts = [name for name, kind in source.measures.items() if kind == "text"]
        few, unasked = self._few(source, texts, min(days), max(days))
        columns = {name: kind for name, kind in source.measures.items() if kind != "text" or name in few}
        if not columns:
            return unasked
        sql = self._sql(queries.distribution(source, columns, min(days), max(days)))
        evidence, rows = self._ask(
            f"distributions {source.name}",
            "values by column, day and bucket, one day against the others",
            sql,
            False,
        )
        signs, cited = distributions.measure_distributions(source, columns, rows, evidence.id)
        evidence = evidence.model_copy(
            update={"columns": distributions.DISTRIBUTION_COLUMNS, "rows": tuple(cited)}
        )
        return [*unasked, Measured(evidence=evidence, signs=tuple(signs))]

    def _few(
        self, source: Source, texts: list[str], first: date, last: date
    ) -> tuple[set[str], list[Measured]]:
        """The text columns that hold few different values; and what could not be asked of them."""
        if not texts:
            return set(), []
        sql = self._sql(queries.kinds(source, texts, first, last))
        evidence, rows = self._ask(f"kinds {source.name}", "how many different texts a column holds", sql)
        if evidence.refused:
            return set(), [Measured(evidence=evidence)]
        return {name for name, n in zip(texts, rows[0], strict=True) if n <= _MOST_KINDS}, []

    def versions(self, source: Source, extent: Extent) -> Measured:
        days = extent.sizes[source.name]
        columns = {name: kind for name, kind in source.measures.items() if kind != "text"}
        sql = self._sql(queries.versions(source, columns, min(days), max(days)))
        evidence, pairs = self._ask(f"versions {source.name}", "rows of one key on two days", sql, False)
        signs, cited = versions.measure_versions(source, columns, pairs, evidence.id)
        signs = [self._counted(source, sign, days) for sign in signs]
        rows = tuple((*row, sign.rows) for row, sign in zip(cited, signs, strict=True))
        evidence = evidence.model_copy(update={"columns": versions.VERSION_COLUMNS, "rows": rows})
        return Measured(evidence=evidence, signs=tuple(signs))

    def _counted(self, source: Source, sign: Sign, days: Mapping[date, int]) -> Sign:
        """How many rows of the day differ from those of another: a pair more or less is no row."""
        assert sign.day is not None
        tree = queries.differing(source, sign.column, sign.day, min(days), max(days))
        _, rows = self._ask("differing", "", self._sql(tree))
        # Refused, or mended since the pairs were counted, it leaves what they said.
        found = rows[0][0] if rows else 0
        return sign.model_copy(update={"rows": found or sign.rows, "of_rows": days[sign.day]})

    def orphans(self, source: Source, extent: Extent) -> list[Measured]:
        out = []
        days = extent.sizes[source.name]
        for reference in source.references:
            if reference.table not in extent.sizes:
                continue
            sql = self._sql(queries.orphans(source, reference, min(days), max(days)))
            of = f"rows whose {reference.column} is in no row of {reference.table}"
            evidence, _ = self._ask(f"orphans {source.name}.{reference.column}", of, sql)
            signs = measuring.measure_counts(
                "orphans", source.name, reference.column, evidence, days, reference.table
            )
            out.append(Measured(evidence=evidence, signs=tuple(signs)))
        return out

    def childless(self, source: Source, extent: Extent) -> list[Measured]:
        out = []
        days = extent.sizes[source.name]
        for child in self.sources.values():
            for reference in child.references:
                if reference.table != source.name or child.name not in extent.sizes:
                    continue
                sql = self._sql(queries.childless(source, child, reference, min(days), max(days)))
                of = f"keys of {source.name} that no row of {child.name} refers to"
                evidence, _ = self._ask(f"childless {source.name} {child.name}.{reference.column}", of, sql)
                signs = measuring.measure_counts(
                    "childless", source.name, source.key, evidence, days, child.name
                )
                out.append(Measured(evidence=evidence, signs=tuple(signs)))
        return out

    def arrivals(self, source: Source, extent: Extent) -> Measured:
        days = extent.sizes[source.name]
        sql = self._sql(queries.arrivals(source, min(days)))
        evidence, _ = self._ask(f"arrivals {source.name}", "when keys came first, by when they happened", sql)
        return Measured(evidence=evidence, signs=tuple(measuring.measure_arrivals(source, evidence, days)))

    _QUESTIONS: ClassVar[Mapping[str, Callable[..., Any]]] = {
        "profile": profile,
        "distributions": distributions,
        "versions": versions,
        "orphans": orphans,
        "childless": childless,
        "arrivals": arrivals,
    }

    def _gone(self, table: str) -> bool:
        try:
            return bool(table) and not self.reader.tables([table])
        except PermanentError:
            return False

    def failing(self, check: FailedCheck, number: int) -> list[Measured]:
        """The rows that fail a check, and how many on which day and from which load."""
        if not check.rows_sql:
            return []
        examples, _ = self._ask(
            f"failing {number}", f"rows that fail {check.name}", queries.failing_rows(check, _SHOWN)
        )
        if examples.refused:
            return [_refused(examples, check.table or check.name, self._gone(check.table))]
        out = [Measured(evidence=examples)]
        source = self.sources.get(check.table)
        known = {DAY, LOADED_AT} <= set(examples.columns)
        if source is None or not examples.rows or not (known or source.key in examples.columns):
            return out
        sql = queries.failing_days(check, source, examples.columns, self._sql)
        evidence, rows = self._ask(f"failing days {number}", f"{check.name}, by day and load", sql)
        if evidence.refused:
            return [*out, _refused(evidence, source.name)]
        signs = [
            Sign(
                kind="failing", table=source.name, day=day, rows=n, figures={"check": number},
                words={"loaded": str(loaded)}, cites=(Cite(evidence=evidence.id, row=at),),
            )
            for at, (day, loaded, n) in enumerate(rows)
        ]  # fmt: skip
        return [*out, Measured(evidence=evidence, signs=tuple(signs))]
