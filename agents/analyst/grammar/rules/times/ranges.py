"""Ranges and edges: from August to October, 10月1日到7日, since, before, until the end of."""

from __future__ import annotations

from agents.analyst.grammar.chart import Rule
from agents.analyst.grammar.spans import Edge, Range, Through, Unclear
from agents.analyst.grammar.when import Latest, Stretch, Unit, Weekdays, WeekdaysOf, When

_TODAY = Unit("day")


_SUNDAY = 7
_TENS = ((1, 10), (11, 20), (21, -1))


def _range(first: When, last: When) -> When | None:
    """Monday to Friday are days of every week."""
    return None if isinstance(first, Weekdays) and isinstance(last, Weekdays) else Range(first, last)


def _from(point: When) -> When | None:
    """Of what is from one day to another there is no since."""
    if isinstance(point, Weekdays | WeekdaysOf) and point.first != point.last and point.last != _SUNDAY:
        return None
    unit, first, last = point.parts[-1] if isinstance(point, Latest) else ("", 1, 1)
    if unit in ("day", "month") and first != last and (first, last) not in _TENS:
        return None
    return _since(point)


def _since(point: When) -> When:
    """Since the beginning of what is running: that, which ends with today anyway."""
    return point if isinstance(point, Unit) and point.offset == 0 else Range(point, None)


def _edge_of(frame: When, unit: str) -> When | None:
    """去年年底."""
    return frame if frame.size == unit else None


def _marked(point: When) -> When | None:
    """10月底, 去年底, 三季度末."""
    return point if point.size in ("week", "month", "quarter", "half", "year") else None


def _alone(edge: When) -> When | None:
    """10月底: the last day, or the last days?"""
    if edge.size != "month":
        return Unclear("vague", "")
    return Unclear("ambiguous", "", (Stretch(edge, "day", -1, -1), Stretch(edge, "day", 21, -1)))


def _alone_start(edge: When) -> When | None:
    if edge.size != "month":
        return Unclear("vague", "")
    return Unclear("ambiguous", "", (Stretch(edge, "day", 1, 1), Stretch(edge, "day", 1, 10)))


RULES = (
    # Beginnings and ends.
    Rule("end of", "ending", "end_of point", lambda _, point: point),
    Rule("end zh", "own_end", "edge_end", lambda unit: unit),
    Rule("end in", "ending", "frame edge_end", _edge_of),
    Rule("end marked", "ending", "point end_mark", lambda point, _: _marked(point)),
    Rule("start of", "beginning", "start_of point", lambda _, point: point),
    Rule("start of running", "beginning", "start_of unit", lambda _, unit: Unit(unit)),
    Rule("end of running", "own_end", "end_of unit", lambda _, unit: unit),
    Rule("end of it", "ending_now", "own_end", lambda unit: Unit(unit)),
    Rule("start zh", "beginning", "edge_start", lambda unit: Unit(unit)),
    Rule("start in", "beginning", "frame edge_start", _edge_of),
    Rule("start marked", "beginning", "point start_mark", lambda point, _: _marked(point)),
    Rule("end alone", "when", "ending/ending_now", _alone),
    Rule("to its end", "when", "from? point to own_end",
         lambda _, first, __, unit: Through(first, unit)),
    Rule("to the end", "when", "from? beginning to own_end",
         lambda _, first, __, unit: Range(first, Unit(unit))),
    Rule("start alone", "when", "beginning", _alone_start),
    # Between two.
    Rule("to", "when", "from? point/beginning to point/ending",
         lambda _, first, __, last: _range(first, last)),
    Rule("to after", "when", "from/between? point/beginning to point/ending between_after/until_after",
         lambda _, first, __, last, ___: _range(first, last)),
    Rule("to now", "when", "from? point/beginning to until_now", lambda _, first, __, ___: _since(first)),
    Rule("between", "when", "between point/beginning and/to point/ending",
         lambda _, first, __, last: Range(first, last)),
    Rule("between zh", "when", "between? point and point between_after",
         lambda _, first, __, last, ___: Range(first, last)),
    # Open at one side.
    Rule("since", "when", "since point/beginning", lambda _, point: _from(point)),
    Rule("since end", "when", "since ending", lambda _, point: Edge("after", point)),
    Rule("since after", "when", "since? point/beginning since_after/onwards",
         lambda _, point, __: _since(point)),
    Rule("until", "when", "until point/ending/ending_now until_after?",
         lambda _, point, __: Range(None, point)),
    Rule("until after", "when", "point until_after", lambda point, _: Range(None, point)),
    Rule("until now", "when", "until until_now until_after?", lambda *_: Range(None, _TODAY)),
    Rule("since until now", "when", "since point/beginning so_far", lambda _, point, __: _since(point)),
    Rule("before", "when", "before point/beginning", lambda _, point: Edge("before", point)),
    Rule("before end", "when", "before ending/ending_now", lambda _, point: Range(None, point)),
    Rule("before after", "when", "point/beginning before_after", lambda point, _: Edge("before", point)),
    Rule("end before after", "when", "ending/ending_now before_after", lambda point, _: Range(None, point)),
    Rule("after", "when", "after point/ending", lambda _, point: Edge("after", point)),
    Rule("after after", "when", "point/ending after_after", lambda point, _: Edge("after", point)),
    # Up to now.
    Rule("so far", "when", "so_far", lambda _: Range(None, _TODAY)),
    Rule("point so far", "when", "point so_far", lambda point, _: _since(point)),
    Rule("so far point", "when", "so_far point", lambda _, point: _since(point)),
    Rule("point", "when", "point", lambda point: point),
)  # fmt: skip
