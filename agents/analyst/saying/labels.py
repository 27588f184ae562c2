"""What the columns of an answer are called, from what they mean."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import yaml

from agents.analyst.intent import (
    By,
    Change,
    Condition,
    CountOf,
    Difference,
    Every,
    Group,
    Is,
    Mean,
    Measure,
    MetricOf,
    Not,
    PartOf,
    Period,
    QuantileOf,
    Ratio,
    Running,
    Share,
    Slice,
)
from agents.analyst.saying.names import Names, capital, inside, noun, plural
from agents.analyst.saying.sentences import Phrasing


class Meant(Protocol):
    """A column of a statement, as far as it is named."""

    @property
    def role(self) -> str: ...

    @property
    def meaning(self) -> Any: ...


def label(column: Meant, names: Names, language: str) -> str:
    """A column's heading."""
    own = _Labels(names, language)
    if isinstance(column.meaning, By | Every | PartOf) or column.role == "key":
        return capital(own.group(column.meaning))
    said = own.measure(column.meaning)
    if column.role in ("before", "change", "change_rate"):
        said = own.text("part", column.role, of=said)
    return capital(said)


def measure_label(measure: Measure, names: Names, language: str) -> str:
    """A measure's name within a sentence."""
    return _Labels(names, language).measure(measure)


@cache
def _texts() -> dict[str, dict[str, dict[str, str]]]:
    found: dict[str, dict[str, dict[str, str]]] = yaml.safe_load(
        Path(__file__).with_name("labels.yml").read_text(encoding="utf-8")
    )
    return found


class _Labels:
    def __init__(self, names: Names, language: str) -> None:
        self._names, self._language = names, language
        self._phrasing = Phrasing(names, language)

    def text(self, section: str, key: str, **values: str) -> str:
        return _texts()[section][key][self._language].format(**values)

    def measure(self, measure: Measure) -> str:
        match measure:
            case MetricOf():
                return self._name(measure.name)
            case CountOf():
                return self._count(measure)
            case QuantileOf():
                return self._quantile(measure)
            case Slice():
                return self._made("slice", of=measure.of, only=self._slice(measure))
            case Ratio():
                return self._made("ratio", numerator=measure.numerator, denominator=measure.denominator)
            case Difference():
                return self._difference(measure)
            case Share():
                key = "share" + "_of_which" * bool(measure.of_which) + "_within" * bool(measure.within)
                only = self._only(measure.of_which) if measure.of_which else ""
                within = self.text("only", "join").join(map(self.group, measure.within))
                return self._made(key, of=measure.of, only=only, within=within)
            case Mean():
                return self._made("mean", of=measure.of, per=self._per(measure.per))
            case Change():
                key = "growth" if measure.form == "rate" else "change"
                return self._made(key + "_year" * (measure.back == "year"), of=measure.of)
            case Running():
                since = self._phrasing.unit(measure.since) if measure.since else ""
                return self._made("running_since" if since else "running", of=measure.of, since=since)

    def group(self, group: Group) -> str:
        if isinstance(group, By):
            of = self._name(group.dimension)
            if group.grain is None:
                return of
            return self.text("group", "by_grain", of=of, grain=self._phrasing.unit(group.grain))
        if isinstance(group, Every):
            return self.text("group", group.grain)
        return self.text("group", group.part if isinstance(group, PartOf) else "periods")

    def _made(self, key: str, **parts: Measure | str) -> str:
        said = {name: one if isinstance(one, str) else self.measure(one) for name, one in parts.items()}
        return self.text("measure", key, **said)

    def _count(self, measure: CountOf) -> str:
        of = self._thing(measure.of)
        if self._language == "en":
            of = plural(of)
        if not measure.having:
            return self.text("measure", "count", of=of)
        having = self._phrasing.thresholds(measure.having)
        return self.text("measure", "count_having", of=of, having=having)

    def _quantile(self, measure: QuantileOf) -> str:
        per = self._per(measure.per) if measure.per else ""
        key = ("median" if measure.q == 0.5 else "quantile") + "_per" * bool(per)
        q = f"{(Decimal(repr(measure.q)) * 100).normalize():f}"
        return self._made(key, of=measure.of, per=per, q=q)

    def _difference(self, measure: Difference) -> str:
        left, right = measure.left, measure.right
        if isinstance(left, Slice) and isinstance(right, Slice) and left.of == right.of:
            ends = {"left": self._slice(left), "right": self._slice(right)}
            return self._made("difference_between", of=left.of, **ends)
        return self._made("difference", left=left, right=right)

    def _slice(self, measure: Slice) -> str:
        """Which rows it is of."""
        window = [self._phrasing.span(measure.window)] if measure.window else []
        return self.text("only", "join").join(
            [*window, *([self._only(measure.where)] if measure.where else [])]
        )

    def _only(self, condition: Condition) -> str:
        """A condition as short as it can be: the values alone where there are some."""
        if isinstance(condition, Is):
            return self.text("only", "join").join(f"{value}" for value in condition.values)
        if isinstance(condition, Not) and isinstance(condition.of, Is):
            return self.text("only", "not", of=self._only(condition.of))
        return self._phrasing.condition(condition)

    def _per(self, per: Every | By) -> str:
        if isinstance(per, Every):
            return self._phrasing.unit(per.grain)
        return self._thing(per.dimension)

    def _thing(self, name: str) -> str:
        return noun(name, self._names, self._language)

    def _name(self, name: str) -> str:
        return inside(self._names.phrase(name, self._language))


def shown_period(period: Period, names: Names, language: str) -> str:
    """A period as people write it."""
    return Phrasing(names, language).span(period)
