"""The analyst: a question becomes SQL, a chart and a document, each from a stage of the one loop.

The names below load on first use, because LangGraph takes a second to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agents.analyst.analyst import Analyst
    from agents.analyst.answer import Answer
    from agents.analyst.lists import list_report
    from agents.analyst.questions import load_questions

__all__ = ["Analyst", "Answer", "list_report", "load_questions"]
_HOMES = {"Analyst": "analyst", "Answer": "answer", "load_questions": "questions", "list_report": "lists"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
