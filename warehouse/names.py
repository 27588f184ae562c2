"""The names that one may have meant who gave one that is not known."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import Indel

ALIKE = 0.5


def nearest(name: str, known: Iterable[str], most: int) -> list[str]:
    """The known names that share at least half of their characters with `name` in order, best first."""
    found = process.extract(
        name, list(known), scorer=Indel.normalized_similarity, score_cutoff=ALIKE, limit=most
    )
    return [near for near, *_ in found]
