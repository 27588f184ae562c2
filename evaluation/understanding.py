"""What it takes to understand a question that was never asked before, in a process that has answered others.

    python -m evaluation.understanding

The questions of the development half over the sample: every other one warms, the rest are timed.
Up to the SQL where there is an answer, up to the suggestions, each of them tried, where there is none.
"""

from __future__ import annotations

import gc
import json
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from agents.analyst.answering import Answering
from agents.analyst.grammar.reader import NotUnderstood, Understood
from agents.analyst.grammar.text import language
from agents.analyst.grammar.when import Calendar
from agents.analyst.vocabulary import Vocabulary
from evaluation.projects import NOW, PROJECTS, build, served
from evaluation.questions import load
from warehouse import connect
from warehouse.semantic import SemanticLayer

PROJECT = "sample"
FOLDER = Path(".tidemark/evaluation")
Measured = tuple[str, float, float]


def measure() -> list[Measured]:
    """p95 in ms of the questions with one meaning, and of those with none; of it, what this process works."""
    calendar = Calendar(NOW)
    taken: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with served(FOLDER) as url:
        settings = build(PROJECTS[PROJECT], FOLDER, url)
        warehouse = connect(settings, read_only=True)
        semantic = SemanticLayer.load(settings.semantic_manifest_path, warehouse.dialect)
        answering = Answering(Vocabulary.load(semantic, warehouse), warehouse)
        gc.collect()
        # As the analyst does once it knows a project.
        gc.freeze()
        questions = [one.question for one in load(PROJECT, "development")]
        for question in (*questions[::2], *questions[1::2]):
            began, worked = time.perf_counter(), time.process_time()
            found = answering.understood(question, calendar)
            if isinstance(found, NotUnderstood):
                answering.suggested(question, calendar, language(question) or "en")
            took = time.perf_counter() - began, time.process_time() - worked
            if question not in questions[::2]:
                what = "declined" if isinstance(found, NotUnderstood) else "SQL"
                if what == "declined" or isinstance(found, Understood):
                    taken[what].append(took)
        warehouse.close()
    measured: list[Measured] = []
    for kind, what in (("SQL", "its SQL"), ("declined", "its suggestions")):
        wall, own = zip(*taken[kind], strict=True)
        measured.append((f"a new question to {what}, warm, p95", _p95(wall), _p95(own)))
    return measured


def _p95(seconds: Sequence[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.95)] * 1e3


if __name__ == "__main__":
    print(json.dumps(measure()))
