"""Which rows: values, lists of them, and what they are not."""

from __future__ import annotations

from agents.analyst.grammar.chart import Rule
from agents.analyst.grammar.fragment import BETWEEN, Fragment
from agents.analyst.intent import By, Condition, Is, Not


def _common(one: str, other: str) -> str:
    return BETWEEN.join(sorted(set(one.split(BETWEEN)) & set(other.split(BETWEEN))))


def _either(one: Condition, _: object, other: Condition) -> Condition | None:
    """China and Japan: values of one dimension."""
    if not isinstance(one, Is) or not isinstance(other, Is) or set(one.values) & set(other.values):
        return None
    both = _common(one.dimension, other.dimension)
    return Is(dimension=both, values=(*one.values, *other.values)) if both else None


def _of(dimension: str, condition: Condition) -> Condition | None:
    """`country China`, 中国这个国家."""
    if not isinstance(condition, Is):
        return None
    both = _common(condition.dimension, dimension)
    return Is(dimension=both, values=condition.values) if both else None


def _belonging(condition: Condition, entity: str) -> Condition | None:
    """华东仓库, Berlin customers: of what several things have, that of the one that is named."""
    if not isinstance(condition, Is):
        return None
    things = set(entity.split(BETWEEN))
    own = [name for name in condition.dimension.split(BETWEEN) if things & set(name.split("__")[:-1])]
    return Is(dimension=BETWEEN.join(own), values=condition.values) if own else None


RULES = (
    Rule("value", "condition", "value", lambda value: Is(dimension=value[0], values=(value[1],))),
    Rule("either", "condition", "condition and/or condition", _either),
    Rule("either", "condition", "condition and/or in condition",
         lambda one, _, __, other: _either(one, None, other)),
    Rule("listed", "condition", "condition condition", lambda one, other: _either(one, None, other)),
    Rule("named value", "condition", "dimension copula? condition", lambda name, _, value: _of(name, value)),
    Rule("value named", "condition", "condition this? number? counter_of? dimension",
         lambda value, _, __, ___, name: _of(name, value)),
    Rule("place", "condition", "condition place_mark",
         lambda condition, _: condition if isinstance(condition, Is) else None),
    Rule("of thing", "condition", "condition entity", lambda condition, thing: _belonging(condition, thing)),
    Rule("not", "refused", "not condition not_after?", lambda _, condition, __: Not(of=condition)),
    Rule("not after", "refused", "condition not_after", lambda condition, _: Not(of=condition)),
    Rule("neither", "refused", "neither condition nor condition",
         lambda _, one, __, other: Not(of=both) if (both := _either(one, None, other)) else None),
    Rule("nor", "refused", "refused nor condition",
         lambda refused, _, other: Not(of=both) if (both := _either(refused.of, None, other)) else None),
    # But for China and Japan, the other countries.
    Rule("not others", "refused", "refused others dimension?",
         lambda refused, _, name: refused if name is None or _of(name, refused.of) else None),
    Rule("others each", "fragment", "refused others dimension",
         lambda refused, _, name: Fragment(where=(refused,), others=By(dimension=name))
         if _of(name, refused.of) else None),
    # China, Japan and Korea, these three.
    Rule("those", "condition", "condition this? number counter_of",
         lambda one, _, number, __: one if isinstance(one, Is) and len(one.values) == number else None),
    Rule("those", "condition", "condition all_of_them",
         lambda one, number: one if isinstance(one, Is) and len(one.values) == number else None),
    Rule("between values", "condition", "between condition and condition", lambda _, *both: _either(*both)),
    # All countries but China.
    Rule("those but", "fragment", "dimension refused",
         lambda name, refused: Fragment(where=(refused,), groups=(By(dimension=name),))
         if _of(name, refused.of) else None),
    Rule("each but", "fragment", "each dimension but condition",
         lambda _, name, __, condition: Fragment(where=(Not(of=condition),), groups=(By(dimension=name),))
         if _of(name, condition) else None),
    Rule("where", "fragment", "condition", lambda condition: Fragment(where=(condition,))),
    Rule("where not", "fragment", "refused", lambda condition: Fragment(where=(condition,))),
    Rule("only", "fragment", "only", lambda _: Fragment(only=True)),
    Rule("together", "fragment", "together", lambda _: Fragment(together=True)),
    Rule("sum", "fragment", "sum_after", lambda _: Fragment(together=True, wanted="sum")),
)  # fmt: skip
