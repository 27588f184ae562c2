"""A project's words where there are many: 500 metrics, 2,000 dimensions, 100,000 values.

    python -m evaluation.many_words

How long they take to be indexed, how much memory they keep, and what the lattice of a question of fifteen
words takes with and without misspelt ones, and its whole reading.
"""

from __future__ import annotations

import gc
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from agents.analyst.grammar.reader import Reader
from agents.analyst.grammar.when import Calendar
from agents.analyst.grammar.words import lattice, shipped
from agents.analyst.vocabulary import Vocabulary
from warehouse.clickhouse import DIALECT
from warehouse.semantic import SemanticLayer

Measured = tuple[str, float, str]
MODELS, METRICS, DIMENSIONS, VALUES = 20, 25, 100, 50
QUESTIONS = (
    "what was the total {metric} of {value} by {dimension} last month compared with the month before",
    "top five {dimension} by {metric} in each {other} for {value} since the first of september please",
    "今年各个 {dimension} 的 {metric} 分别是多少，只看 {value}，按从高到低排列，和去年同期相比",
)
_SYLLABLES = (
    *("ka", "lo", "mi", "ten", "ra", "vos", "per", "dul", "gan", "shi", "bro", "tel"),
    *("mar", "quin", "os", "fen", "li", "var", "zo", "nep"),
)


def measure() -> list[Measured]:
    """Indexing, memory, lattices."""
    chance = random.Random(8)
    layer = _layer(chance)
    values = _values(layer, chance)
    before = _resident()
    began = time.perf_counter()
    vocabulary = Vocabulary(layer, values)
    indexed = time.perf_counter() - began
    kept = _resident() - before
    # As the analyst does once it knows a project.
    gc.freeze()
    plain, misspelt = _questions(layer, values, chance)
    lattices = partial(_lattice, vocabulary)
    reader, calendar = Reader(vocabulary), Calendar(datetime(2026, 11, 21, 11, tzinfo=UTC))
    return [
        ("index 500 metrics, 2,000 dimensions, 100,000 values", indexed, "s"),
        ("memory that the index keeps", kept, "MB"),
        *_latencies(lattices, plain, "lattice of a question"),
        *_latencies(lattices, misspelt, "lattice and spelling, two words misspelt"),
        *_latencies(lambda question: reader.read(question, calendar), plain, "reading of a question"),
    ]


def _lattice(vocabulary: Vocabulary, question: str) -> None:
    text, words = lattice(question, shipped(), vocabulary)
    vocabulary.spelt(text, words)


def _latencies(read: Callable[[str], object], questions: Sequence[str], what: str) -> list[Measured]:
    read(questions[0])
    taken = sorted(_milliseconds(partial(read, question)) for question in questions)
    return [
        (f"{what}, median", statistics.median(taken), "ms"),
        (f"{what}, p95", taken[int(len(taken) * 0.95)], "ms"),
    ]


def _milliseconds(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) * 1000


def _resident() -> float:
    gc.collect()
    return float(psutil.Process().memory_info().rss) / 2**20


def _word(chance: random.Random) -> str:
    return "".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4)))


def _layer(chance: random.Random) -> SemanticLayer:
    """Models that are not joined, each of some metrics and some dimensions."""
    models: list[dict[str, Any]] = []
    metrics: list[dict[str, Any]] = []
    for at in range(MODELS):
        measures = [f"{_word(chance)}_{_word(chance)}_{at}_{n}" for n in range(METRICS)]
        models.append(
            {
                "name": f"model_{at}",
                "node_relation": {"schema_name": "a", "alias": f"model_{at}"},
                "defaults": {"agg_time_dimension": "day"},
                "entities": [{"name": f"thing_{at}", "type": "primary", "expr": "id"}],
                "dimensions": [
                    {"name": "day", "type": "time", "type_params": {"time_granularity": "day"}},
                    *(
                        {"name": f"{_word(chance)}_{_word(chance)}_{n}", "type": "categorical"}
                        for n in range(DIMENSIONS)
                    ),
                ],
                "measures": [{"name": name, "agg": "sum", "expr": "1.0"} for name in measures],
            }
        )
        metrics += [
            {
                "name": name,
                "label": name.replace("_", " "),
                "type": "simple",
                "type_params": {"measure": name},
            }
            for name in measures
        ]
    spine = {
        "node_relation": {"schema_name": "a", "alias": "days"},
        "primary_column": {"name": "day", "time_granularity": "day"},
    }
    manifest = {
        "semantic_models": models,
        "metrics": metrics,
        "project_configuration": {"time_spines": [spine]},
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "semantic_manifest.json"
        path.write_text(json.dumps(manifest), encoding="utf-8")
        return SemanticLayer.load(path, DIALECT)


def _values(layer: SemanticLayer, chance: random.Random) -> Mapping[str, Sequence[str]]:
    return {
        name: [" ".join(_word(chance).title() for _ in range(chance.randint(1, 3))) for _ in range(VALUES)]
        for name, dimension in layer.dimensions.items()
        if dimension.type == "categorical"
    }


def _questions(
    layer: SemanticLayer, values: Mapping[str, Sequence[str]], chance: random.Random
) -> tuple[list[str], list[str]]:
    """Questions as they are written, and with two of their words misspelt."""
    plain, misspelt = [], []
    names = sorted(values)
    for at in range(200):
        dimension, other = chance.sample(names, 2)
        said = {
            "metric": chance.choice(sorted(layer.metrics)).replace("_", " "),
            "dimension": layer.dimensions[dimension].label,
            "other": layer.dimensions[other].label,
            "value": chance.choice(values[dimension]),
        }
        pattern = QUESTIONS[at % len(QUESTIONS)]
        plain.append(pattern.format(**said))
        slips = {name: _slip(said[name], chance) for name in ("metric", "value")}
        misspelt.append(pattern.format(**(said | slips)))
    return plain, misspelt


def _slip(text: str, chance: random.Random) -> str:
    at = chance.randint(1, max(1, min(map(len, text.split())) - 2))
    return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]


if __name__ == "__main__":
    print(json.dumps(measure()))
