"""One figure beside another: periods, slices, growth, shares."""

from __future__ import annotations

from agents.analyst.grammar.chart import Rule
from agents.analyst.grammar.fragment import Fragment

RULES = (
    Rule("when", "fragment", "when", lambda when: Fragment(times=(when,))),
    Rule("versus", "fragment", "versus", lambda _: Fragment(compared=True)),
    Rule("previous", "fragment", "previous", lambda unit: Fragment(against=unit, compared=True)),
    Rule("the one before", "fragment", "versus the_before",
         lambda _, unit: Fragment(against=unit, compared=True)),
    Rule("the one before", "fragment", "and the_before versus",
         lambda _, unit, __: Fragment(against=unit, compared=True)),
    Rule("year ago", "fragment", "year_ago", lambda _: Fragment(against="year_ago", compared=True)),
    Rule("change", "fragment", "change", lambda way: Fragment(trend=way)),
    # The top five by revenue and their growth: shown beside, and not what they are the top by.
    Rule("change too", "fragment", "and change", lambda _, __: Fragment(against="period", compared=True)),
    Rule("percent", "fragment", "in_percent", lambda _: Fragment(percent=True)),
    Rule("fastest", "fragment", "change? fastest change?",
         lambda _, way, __: Fragment(trend="up", percent=True, direction=way)),
    Rule("trend", "fragment", "trend", lambda _: Fragment(series=True)),
    Rule("difference", "fragment", "difference", lambda _: Fragment(wraps=("difference",))),
    Rule("more done", "fragment", "more verb",
         lambda _, verb: Fragment(wraps=("difference",), verbs=(verb,))),
    Rule("differ", "fragment", "differ how_many", lambda _, __: Fragment(wraps=("difference",))),
    Rule("differ", "fragment", "differ quantity",
         lambda _, kind: Fragment(wraps=("difference",), wanted="" if kind == "ratio" else kind)),
    Rule("share", "fragment", "share", lambda _: Fragment(wraps=("share",))),
    Rule("share beside", "fragment", "share_beside", lambda _: Fragment(wraps=("share",), beside=True)),
    Rule("percentage", "fragment", "percentage", lambda _: Fragment(wraps=("share",))),
    Rule("rate", "fragment", "share/percentage", lambda _: Fragment(wanted="ratio")),
    Rule("share of", "fragment", "share/percentage condition",
         lambda _, part: Fragment(wraps=("share",), part=part)),
    Rule("share of whole", "fragment", "share/percentage measure",
         lambda _, whole: Fragment(wraps=("share",), whole=whole)),
    # What part is from China, by category: of each category.
    Rule("part said", "fragment", "copula condition", lambda _, part: Fragment(part=part)),
    Rule("takes", "fragment", "condition share/percentage",
         lambda part, _: Fragment(wraps=("share",), part=part)),
)  # fmt: skip
