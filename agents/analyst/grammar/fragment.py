"""Parts of a question's meaning: each says what it can by itself, and they go together in any order.

Where a word may name one of several things (`country` of the user or of the warehouse), its candidates stay
together as `a|b` until the whole question is known.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from agents.analyst.grammar.when import When
from agents.analyst.intent import Comparison, Condition, Group, Measure

BETWEEN = "|"
Wrap = Literal["share", "mean", "median", "running", "difference"]


class Refused(Exception):
    """Raised for what cannot be put into the project's terms; `key` names the reason."""

    def __init__(self, key: str, *values: str) -> None:
        super().__init__(key, *values)
        self.key, self.values = key, values


@dataclass(frozen=True)
class Bound:
    """A figure compared with a number: at least five, below 5 %. `measure` None: the one that is asked for;
    `kind` is what the number says of itself: percent, money or a unit of time.
    """

    op: Comparison
    value: float
    kind: str = ""
    measure: Measure | None = None


@dataclass(frozen=True)
class Asked:
    """One of several figures that are asked for each by itself: candidates, of which kind they must be, and
    those `beside` which what is said of it says nothing new.
    """

    metrics: str
    kind: str = ""
    beside: str = ""


@dataclass(frozen=True)
class Fragment:
    """What a phrase says, or several have said so far. Of a slot that is no tuple there is one in a question.

    `verbs` name metrics by what is done, `objects` are what it is done to, `wanted` is the kind of figure
    (count, money, ratio, duration; `each`, `top`, `alone`: not how many there are), `mentions` are metrics
    beside which a word says nothing new (revenue from *customers*). `each` are groups that may be a
    partition, `part` what a share is the share of, `per` what an average is taken over, `against` the unit
    that the earlier period lies before by. `trend` is which way a figure goes, `percent` that it is so in
    percent, `series` that its course is asked for. `who` are the people that are asked for, `others` the
    things that are left where some are left out, `moment` the kind of period, where nothing else says what
    the answer has a row for; `present` is as things stand, `apart` each of what is listed by
    itself, `beside` that a share is wanted and the figure too, `beyond` what no
    figure says; `chosen` is one of what is named, `single` what one time comes to, `only` nothing
    but that. `whole` is what a share is said to be of where the part is another figure, `closing` that
    the end of a period is meant; `saved` names a whole question of the project's own.
    """

    measures: tuple[Measure, ...] = ()
    asked: tuple[Asked, ...] = ()
    verbs: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()
    each: tuple[Group, ...] = ()
    where: tuple[Condition, ...] = ()
    times: tuple[When, ...] = ()
    wraps: tuple[Wrap, ...] = ()
    having: tuple[Bound, ...] = ()
    wanted: str = ""
    part: Condition | None = None
    per: Group | None = None
    trend: Literal["", "up", "down", "either", "better", "worse"] = ""
    percent: bool = False
    against: str = ""
    chosen: bool = False
    single: bool = False
    only: bool = False
    compared: bool = False
    together: bool = False
    ranked: bool = False
    series: bool = False
    direction: Literal["", "asc", "desc", "best", "worst"] = ""
    limit: int | None = None
    by: Measure | None = None
    who: Group | None = None
    others: Group | None = None
    moment: str = ""
    present: bool = False
    apart: bool = False
    beside: bool = False
    beyond: str = ""
    whole: Measure | None = None
    closing: bool = False
    saved: str = ""


EMPTY = Fragment()
_UNSAID = {one.name: one.default for one in fields(Fragment)}
_TUPLES = {name for name, unsaid in _UNSAID.items() if isinstance(unsaid, tuple)}
_ONCE = {"measures", "times", "having"}


def merge(one: Fragment, other: Fragment) -> Fragment | None:
    """Both together, or None where they say two things of what can be one only. Figures side by side are not
    both meant (revenue of new customers): who wants both says `and`.
    """
    if (one.measures or one.asked) and (other.measures or other.asked):
        return None
    values = {**vars(one)}
    for name, right in vars(other).items():
        # A phrase says little, and of most slots nothing.
        if right is _UNSAID[name]:
            continue
        left = values[name]
        if name in _TUPLES:
            if name in _ONCE and not set(left).isdisjoint(right):
                return None
            values[name] = left + tuple(one for one in right if one not in left)
            continue
        if name == "wanted" and left and left.partition(":")[0] == right.partition(":")[0]:
            # How much, in dollars.
            left = right = left if ":" in left else right
        if left and left != right:
            return None
        values[name] = right
    return Fragment(**values)
