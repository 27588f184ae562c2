"""Every reason why a question has no answer is said in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from agents.analyst.grammar.reader import NotUnderstood
from agents.analyst.grammar.words import FOLDER
from agents.analyst.saying import refused
from agents.analyst.vocabulary import Vocabulary

SOURCE = Path(__file__).parents[3] / "agents" / "analyst"
RAISED = re.compile(r'(Refused|NoTime|NotUnderstood)\(\s*"([a-z_]+)"')


def reasons() -> set[str]:
    """Those that the grammar raises, as its sources have them, and those of questions no figure answers."""
    found = {"unknown_words"}
    for path in SOURCE.rglob("*.py"):
        for raised, key in RAISED.findall(path.read_text(encoding="utf-8")):
            found.add(f"time_{key}" if raised == "NoTime" else key)
    for path in FOLDER.glob("words_*.yml"):
        words = yaml.safe_load(path.read_text(encoding="utf-8"))
        found |= {f"asks_{meaning}" for meaning in words["beyond"]}
    return found


@pytest.mark.parametrize("reason", sorted(reasons()))
def test_each_reason_has_a_text_of_its_own(vocabulary: Vocabulary, reason: str) -> None:
    plain = "not_put_together"
    for language, letters in (("en", "[A-Za-z]"), ("zh", "[\u4e00-\u9fff]")):
        said = refused(NotUnderstood(reason, ("revenue", "day"), ("gizmo",)), vocabulary, language)
        assert re.search(letters, said)
        assert "{" not in said
        if reason != plain:
            assert said != refused(NotUnderstood(plain), vocabulary, language), reason


def test_names_are_said_by_their_labels(vocabulary: Vocabulary) -> None:
    said = refused(NotUnderstood("not_by", ("user__country|user__city",)), vocabulary, "en")
    assert "country or city" in said
