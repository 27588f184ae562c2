"""The linker: a question in English or Chinese → a metric query, by the words of the semantic layer alone."""

from agents.analyst.linker.link import Linker
from agents.analyst.linker.plan import Declined, Nearest, Plan

__all__ = ["Declined", "Linker", "Nearest", "Plan"]
