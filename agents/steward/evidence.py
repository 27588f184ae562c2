"""The steward's questions to a warehouse, each a query, what it returned and the signs in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar

from agents.steward import measuring, queries
from agents.steward.case import Cite, Evidence, FailedCheck, Record, Sign, Source
from agents.steward.queries import DAY, LOADED_AT
from warehouse import Limits, Warehouse

WINDOW_DAYS = 35
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
    return cell if cell is None or isinstance(cell, (str, int, float)) else str(cell)


@dataclass
class Asking:
    """A reader, and the tables by name. `held` are the first and last day of the history, once counted."""

    reader: Warehouse
    sources: Mapping[str, Source]
    held: tuple[date, date] | None = None

    def _ask(self, id_: str, of: str, sql: str, keep: bool = True) -> tuple[Evidence, list[tuple[Any, ...]]]:
        found = self.reader.query(sql, limits=_LIMITS)
        rows = tuple(tuple(row) for row in found.rows) if keep else ()
        return Evidence(id=id_, of=of, sql=sql, columns=tuple(found.column_names), rows=rows), found.rows

    def _sql(self, tree: Any) -> str:
        return self.reader.dialect.render(tree)

    def volumes(self, upto: date | None = None, of: Collection[str] = ()) -> tuple[Extent, Measured]:
        """Rows a table and day, to be compared: all tables say how busy a day was, and of these (of all, if
        none is named) it is said what they lack.
        """
        of = of or self.sources
        sizes: dict[str, dict[date, int]] = {}
        gone: list[tuple[Any, ...]] = []
        sqls = []
        there = {table.qualified_name for table in self.reader.tables(list(self.sources))}
        for source in self.sources.values():
            sql = self._sql(queries.extent(source))
            sqls.append(sql)
            if source.name in there:
                sizes[source.name] = dict(self.reader.query(sql, limits=_LIMITS).rows)
            if not sizes.get(source.name):
                gone.append((source.name, None, 0, "no row" if source.name in there else "no table"))
        ends = [max(days) for days in sizes.values() if days]
        last = max(ends, default=date.min)
        if ends:
            self.held = (min(min(days) for days in sizes.values() if days), last)
        if upto is not None:
            last = min(last, upto + timedelta(days=WINDOW_DAYS // 2))
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
            Sign(kind="no_table", table=row[0], cites=(Cite(evidence="volumes", row=len(cited) + number),))
            for number, row in enumerate(gone)
            if row[0] in of
        ]
        evidence = Evidence(
            id="volumes", of="rows by table and day", sql=";\n".join(sqls),
            columns=measuring.VOLUME_COLUMNS, rows=(*cited, *gone),
        )  # fmt: skip
        return Extent(first=first, last=last, sizes=within), Measured(evidence=evidence, signs=tuple(signs))

    def questions(self, extent: Extent) -> list[tuple[str, str]]:
        """What there is to ask, as (question, table); nothing of a table that is not there."""
        asked = []
        referred = {r.table for source in self.sources.values() for r in source.references}
        for name, source in self.sources.items():
            days = extent.sizes.get(name, {})
            if sum(n > 0 for n in days.values()) < measuring.LEAST_DAYS:
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
        return found if isinstance(found, list) else [found]

    def profile(self, source: Source, extent: Extent) -> Measured:
        days = extent.sizes[source.name]
        sql = self._sql(queries.profile(source, min(days), max(days)))
        evidence, _ = self._ask(
            f"profile {source.name}", "loads, keys, empty and negative values by day", sql
        )
        return Measured(evidence=evidence, signs=tuple(measuring.measure_profile(source, evidence)))

    def distributions(self, source: Source, extent: Extent) -> Measured:
        days = extent.sizes[source.name]
        texts = [name for name, kind in source.measures.items() if kind == "text"]
        few = self._few(source, texts, min(days), max(days))
        columns = {name: kind for name, kind in source.measures.items() if kind != "text" or name in few}
        sql = self._sql(queries.distribution(source, columns, min(days), max(days)))
        evidence, rows = self._ask(
            f"distributions {source.name}",
            "values by column, day and bucket, one day against the others",
            sql,
            False,
        )
        signs, cited = measuring.measure_distributions(source, columns, rows, evidence.id)
        evidence = evidence.model_copy(
            update={"columns": measuring.DISTRIBUTION_COLUMNS, "rows": tuple(cited)}
        )
        return Measured(evidence=evidence, signs=tuple(signs))

    def _few(self, source: Source, texts: list[str], first: date, last: date) -> set[str]:
        """The text columns that hold few different values."""
        if not texts:
            return set()
        sql = self._sql(queries.kinds(source, texts, first, last))
        return {
            name for name, n in zip(texts, self.reader.query(sql).rows[0], strict=True) if n <= _MOST_KINDS
        }

    def versions(self, source: Source, extent: Extent) -> Measured:
        days = extent.sizes[source.name]
        columns = {name: kind for name, kind in source.measures.items() if kind != "text"}
        sql = self._sql(queries.versions(source, columns, min(days), max(days)))
        evidence, pairs = self._ask(f"versions {source.name}", "rows of one key on two days", sql, False)
        signs, cited = measuring.measure_versions(source, columns, pairs, evidence.id)
        signs = [self._counted(source, sign, days) for sign in signs]
        rows = tuple((*row, sign.rows) for row, sign in zip(cited, signs, strict=True))
        evidence = evidence.model_copy(update={"columns": measuring.VERSION_COLUMNS, "rows": rows})
        return Measured(evidence=evidence, signs=tuple(signs))

    def _counted(self, source: Source, sign: Sign, days: Mapping[date, int]) -> Sign:
        """How many rows of the day differ from those of another: a pair more or less is no row."""
        assert sign.day is not None
        tree = queries.differing(source, sign.column, sign.day, min(days), max(days))
        rows = self.reader.query(self._sql(tree), limits=_LIMITS).rows[0][0]
        return sign.model_copy(update={"rows": rows, "of_rows": days[sign.day]})

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

    def failing(self, check: FailedCheck, number: int) -> list[Measured]:
        """The rows that fail a check, and how many on which day and from which load."""
        if not check.rows_sql:
            return []
        examples, _ = self._ask(
            f"failing {number}", f"rows that fail {check.name}", queries.failing_rows(check, _SHOWN)
        )
        out = [Measured(evidence=examples)]
        source = self.sources.get(check.table)
        known = {DAY, LOADED_AT} <= set(examples.columns)
        if source is None or not examples.rows or not (known or source.key in examples.columns):
            return out
        sql = queries.failing_days(check, source, examples.columns)
        evidence, rows = self._ask(f"failing days {number}", f"{check.name}, by day and load", sql)
        signs = [
            Sign(
                kind="failing", table=source.name, day=day, rows=n, figures={"check": number},
                words={"loaded": str(loaded)}, cites=(Cite(evidence=evidence.id, row=at),),
            )
            for at, (day, loaded, n) in enumerate(rows)
        ]  # fmt: skip
        return [*out, Measured(evidence=evidence, signs=tuple(signs))]
