"""All rules of composition, a family a file."""

from agents.analyst.grammar.rules import comparing, filters, groups, measures, ranking, talk, times

RULES = (
    *times.RULES,
    *measures.RULES,
    *groups.RULES,
    *filters.RULES,
    *ranking.RULES,
    *comparing.RULES,
    *talk.RULES,
)
