"""The analyst: a question becomes SQL, a chart and a document, each from a stage of the one loop.

The names below load on first use, because LangGraph takes a second to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agents.analyst.analyst import Analyst
    from agents.analyst.answer import Answer
    from agents.analyst.questions import load_questions
    from agents.analyst.weekly import weekly_report

__all__ = ["Analyst", "Answer", "load_questions", "weekly_report"]
_HOMES = {"Analyst": "analyst", "Answer": "answer", "load_questions": "questions", "weekly_report": "weekly"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
