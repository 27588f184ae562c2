"""Derivations: each word in one place or no derivation, the best first, optional parts, priced fillers."""

from __future__ import annotations

from agents.analyst.grammar.chart import FILLER, FRAGMENT, Grammar, Phrase, Rule, derive


def words(*said: str | tuple[str, int, int]) -> list[Phrase]:
    """Words one after the other by their category, or (category, start, end) where they lie elsewhere."""
    placed = [(one, at, at + 1) if isinstance(one, str) else one for at, one in enumerate(said)]
    return [
        Phrase(category, start, end, f"{category}{start}", (f"word:{category}",), ((start, category),))
        for category, start, end in placed
    ]


def side_by_side(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...] | None:
    return one + other if set(one).isdisjoint(other) else None


GRAMMAR = Grammar(
    (
        Rule("x", FRAGMENT, "x", lambda x: (x,)),
        Rule("pair", FRAGMENT, "a b? c/d", lambda a, b, c: (f"{a}-{b}-{c}",)),
    )
)
WEIGHTS = {"rule": -0.1, "word": -1.0, "word:filler": -0.3}


def meanings(given: list[Phrase], length: int) -> list[tuple[str, ...]]:
    found = derive(given, length, GRAMMAR, side_by_side, WEIGHTS, ())
    return [one.value for one in found]


def test_parts_may_be_missing_or_any_of_several() -> None:
    assert meanings(words("a", "c"), 2) == [("a0-None-c1",)]
    assert meanings(words("a", "b", "d"), 3) == [("a0-b1-d2",)]
    assert meanings(words("b", "d"), 2) == []


def test_a_word_that_fits_nowhere_leaves_no_derivation() -> None:
    assert meanings(words("x", "b"), 2) == []
    assert meanings(words("x"), 2) == []


def test_fillers_are_passed_between_parts_and_fragments_and_cost() -> None:
    given = words(FILLER, "a", FILLER, "c", FILLER, "x")
    (found,) = derive(given, 6, GRAMMAR, side_by_side, WEIGHTS, ())
    assert found.value == ("a1-None-c3", "x5")
    assert found.features["word:filler"] == 3
    assert round(found.score, 6) == round(3 * -1.0 + 3 * -0.3 + 2 * -0.1, 6)


def test_one_long_word_is_better_than_two_short_ones() -> None:
    given = words("x", "x", ("x", 0, 2))
    found = derive(given, 2, GRAMMAR, side_by_side, WEIGHTS, ())
    assert [one.value for one in found] == [("x0",), ("x0", "x1")]
    assert found[0].score > found[1].score


def test_fragments_that_do_not_go_together_are_no_derivation() -> None:
    twice = [Phrase("x", at, at + 1, "same") for at in (0, 1)]
    assert meanings(twice, 2) == []


def test_each_word_has_its_role() -> None:
    (found,) = derive(words("a", "c"), 2, GRAMMAR, side_by_side, WEIGHTS, ())
    assert found.roles == {0: "a", 1: "c"}
