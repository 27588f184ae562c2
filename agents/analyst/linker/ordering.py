"""In which order and how many: superlatives, top-N, and what a metric's own words call high or low."""

from __future__ import annotations

from dataclasses import dataclass

from agents.analyst.linker.draft import Draft
from agents.analyst.linker.lattice import Arc
from agents.analyst.linker.periods import Periods
from agents.analyst.linker.signals import Signal, is_said
from agents.analyst.linker.wording import grain_name
from warehouse.semantic.model import METRIC_TIME, Direction, Metric

RANKED = 10


@dataclass(frozen=True)
class Order:
    """What the rows are ordered by, and how many are kept."""

    by: tuple[tuple[str, Direction], ...]
    limit: int | None


def choose(draft: Draft, periods: Periods) -> Order:
    """The order that the question asks for, or the one that reads best: by time, else the largest first."""
    found = _orders(draft)
    _check_context(draft, [arc for arc, _ in found])
    limit = _limit(draft)
    series = [item for item in draft.group_by if item.startswith(f"{METRIC_TIME}__")]
    others = [item for item in draft.group_by if item not in series]
    change = _change(draft) if periods.previous is not None else None
    if not draft.group_by:
        if any(signal.superlative or signal.text in ("high", "low") for _, signal in found):
            raise draft.refuse("rank_what")
        return Order((), None)
    if change is not None:
        key, direction, superlative = change
        capped = limit or (RANKED if superlative else None)
        return Order(((key, direction),), capped)
    both = {signal.text for _, signal in found if signal.superlative} >= {"high", "low"}
    if both and (others or limit is not None):
        raise draft.refuse("two_orders")
    # Of a series the text names both the highest and the lowest.
    asked = (bool(found) and not both) or limit is not None
    if series and others and asked:
        grain = series[0].removeprefix(f"{METRIC_TIME}__")
        raise draft.refuse("top_per_period", str(limit or ""), grain_name(grain, draft.language))
    if series and not asked:
        return Order(tuple((item, "asc") for item in (*series, *others)), None)
    metric, direction = _target(draft, found)
    superlative = any(signal.superlative for _, signal in found) or limit is not None
    capped = limit or (RANKED if superlative else None)
    if superlative and limit is None:
        draft.note("default_limit", str(RANKED))
    return Order(((metric.name, direction),), capped)


def _check_context(draft: Draft, orders: list[Arc]) -> None:
    """Refuse `the margin of the brand with the highest revenue`, 销售额前五国家的客单价: one figure is ranked
    or must meet a condition and another is asked for.
    """
    said = [*orders, *(arc for arc in draft.reading.arcs if arc.is_signal("threshold"))]
    for arc in draft.context:
        for other in said:
            near = [_apart(other, metric) for metric in draft.metric_arcs]
            if not near or _apart(other, arc) < min(near):
                raise draft.refuse("ranked_by", arc.text)


def _apart(first: Arc, second: Arc) -> int:
    return max(first.start - second.end, second.start - first.end)


def _orders(draft: Draft) -> list[tuple[Arc, Signal]]:
    found = [
        (arc, arc.content)
        for arc in draft.reading.arcs
        if isinstance(arc.content, Signal) and arc.content.kind == "order"
    ]
    for arc in draft.metric_arcs:
        signal = draft.reading.inside(arc, "order")
        if signal and not _part_of_name(arc, draft.metrics):
            found.append((arc, signal))
    return found


def _part_of_name(arc: Arc, metrics: list[Metric]) -> bool:
    return any(arc.text in (metric.label.lower(), metric.label_zh) for metric in metrics)


def _target(draft: Draft, found: list[tuple[Arc, Signal]]) -> tuple[Metric, Direction]:
    """The metric nearest to the superlative, and the direction that the word means for it."""
    if not found:
        return draft.metrics[0], "desc"
    arc = found[0][0]
    metric = draft.metrics[0]
    if len(draft.metric_arcs) > 1:
        nearest = min(
            draft.metric_arcs, key=lambda item: min(abs(item.start - arc.end), abs(arc.start - item.end))
        )
        metric = draft.metrics[draft.metric_arcs.index(nearest)]
    directions = [(item, _direction(signal, item.text, metric), signal) for item, signal in found]
    own = [(item, way) for item, way, signal in directions if signal.text not in ("high", "low") and way]
    if own:
        item, way = own[0]
        inverted = any(signal.text == "low" and other.end == item.start for other, _, signal in directions)
        return metric, ("asc" if way == "desc" else "desc") if inverted else way
    # "Sorted" alone is the largest first; what says an end goes before it, and an extreme before both.
    directions.sort(key=lambda one: (not one[2].superlative, one[2].text != "low"))
    return metric, next((way for _, way, _ in directions if way), "desc")


def _direction(signal: Signal, said: str, metric: Metric) -> Direction | None:
    for word in (said, said.split()[0], signal.text):
        if is_said(metric.words_high, word):
            return "desc"
        if is_said(metric.words_low, word):
            return "asc"
    if signal.text in ("high", "low"):
        return "desc" if signal.text == "high" else "asc"
    return None


def _limit(draft: Draft) -> int | None:
    """The number that belongs to the ranking, taken out of what is still to be explained."""
    for arc in draft.reading.arcs:
        if isinstance(arc.content, Signal) and arc.content.kind == "order" and arc.content.number:
            return arc.content.number
    ranked = any(arc.is_signal("order", "change") for arc in draft.reading.arcs) or any(
        draft.reading.inside(arc, "order") for arc in draft.metric_arcs
    )
    for index, arc in enumerate(draft.reading.arcs):
        if isinstance(arc.content, Signal) and arc.content.kind == "number" and ranked and arc.content.number:
            after = [a for a in draft.reading.arcs[index + 1 :] if not a.is_signal("stop", "of")][:3]
            if any(a.is_signal("grain") or any(m.kind == "dimension" for m in a.names) for a in after):
                draft.consumed.add(arc)
                return arc.content.number
    return None


def _change(draft: Draft) -> tuple[str, Direction, bool]:
    """What a comparison is ordered by: (column, direction, whether an extreme is asked for)."""
    signals = [arc.content for arc in draft.reading.arcs if isinstance(arc.content, Signal)]
    changes = [signal for signal in signals if signal.kind == "change"]
    orders = [signal for signal in signals if signal.kind == "order"]
    extreme = bool(orders) or any(signal.superlative for signal in changes)
    least = any(signal.text == "low" for signal in orders)
    ways = {signal.text.removesuffix("_rate") for signal in changes}
    if extreme and (ways >= {"up", "down"} or {signal.text for signal in orders} >= {"high", "low"}):
        raise draft.refuse("two_orders")
    kind = next(
        (signal.text for signal in changes if signal.text.endswith("_rate")),
        changes[0].text if changes else "",
    )
    first = draft.metrics[0].name
    column = f"{first}_change_rate" if kind.endswith("_rate") else f"{first}_change"
    if kind.startswith("abs") and column.endswith("_change"):
        return "abs_change", "asc" if least else "desc", extreme
    if kind.startswith("down"):
        return column, "desc" if least else "asc", extreme
    if kind:
        return column, "asc" if least else "desc", extreme
    return first, "asc" if least else "desc", extreme
