"""Times: from days, months, offsets and edges to one expression, in both languages' orders.

`parts` are of a year, month or week and may be named alone (October, 上旬); a `bit` is of something (its
first ten days); a `frame` is what they are of; a `point` is one period; a `when` is any expression of time.
"""

from __future__ import annotations

from agents.analyst.grammar.rules.times.days import RULES as DAYS
from agents.analyst.grammar.rules.times.parts import RULES as PARTS
from agents.analyst.grammar.rules.times.points import RULES as POINTS
from agents.analyst.grammar.rules.times.ranges import RULES as RANGES
from agents.analyst.grammar.rules.times.several import RULES as SEVERAL

RULES = (*PARTS, *POINTS, *RANGES, *SEVERAL, *DAYS)
