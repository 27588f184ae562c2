"""The earlier of two compared periods, and how far its days lie from those that they are compared with."""

from __future__ import annotations

from agents.analyst.intent import Every, Intent, Period, Periods
from agents.analyst.sql.context import Context, Shift, shown
from warehouse.errors import SemanticError

_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_DAYS = {"day": ("day", 1, 1), "week": ("day", 1, 7), "hour": ("hour", 24, 1), "minute": ("minute", 1440, 1)}


def earlier(intent: Intent) -> Context | None:
    """Where the earlier figures are computed; None where nothing is compared. Raises `SemanticError`."""
    if intent.against is None:
        return None
    if intent.window is None:
        raise SemanticError("What is compared with an earlier time needs a time of its own. Name both.")
    if any(isinstance(group, Periods) for group in intent.groups):
        raise SemanticError("Named periods stand side by side already. Compare two of them alone.")
    grains = [group.grain for group in intent.groups if isinstance(group, Every)]
    shift = _shift(intent.window, intent.against, grains[0]) if grains else None
    where = (intent.where,) if intent.where is not None else ()
    return Context(where, intent.against, shift)


def _shift(window: Period, against: Period, grain: str) -> Shift:
    now, before = window.start, against.start
    if now is not None and before is not None:
        if grain in _MONTHS:
            months = (now.year - before.year) * 12 + now.month - before.month
            if now.day == before.day == 1 and not months % _MONTHS[grain]:
                return Shift("month", months)
        else:
            unit, a_day, step = _DAYS[grain]
            apart = now - before
            if not apart.seconds and not apart.days % step:
                return Shift(unit, apart.days * a_day)
    raise SemanticError(
        f"The {grain}s of {shown(window)} and {shown(against)} do not begin alike. Compare the periods "
        "as wholes, or ask by the day."
    )
