"""A project's words: names, values, spelling, verbs."""

from agents.analyst.vocabulary.reach import Choice
from agents.analyst.vocabulary.vocabulary import Vocabulary

__all__ = ["Choice", "Vocabulary"]
