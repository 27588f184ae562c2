"""A draft of `tidemark.yml`: what a project says of its words and units, with room for what it does not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from warehouse.semantic.layer import SemanticLayer
from warehouse.semantic.model import Dimension, Entity, Metric

_HAN = re.compile(r"[\u4e00-\u9fff]")
_HEAD = """\
# Words and units for a dbt project that one may not edit. What stands here goes before what the project says;
# what is empty is left to the project. `tidemark check` names what is missing.
#   label     what it is called, by language
#   synonyms  what people call it besides
#   unit      count, ratio (0.12 is written 12 %), days, ms, or a currency such as USD; empty: a plain number
"""


def drafted(layer: SemanticLayer) -> str:
    """The file's text."""
    dimensions = {f"{one.model}.{one.name.rpartition('__')[2]}": one for one in layer.dimensions.values()}
    lines = [_HEAD + "metrics:"]
    for name, metric in layer.metrics.items():
        lines += _named(name, metric, metric.description)
        lines.append(f"    unit: {_text(metric.unit)}")
    lines.append("dimensions:")
    for name, dimension in sorted(dimensions.items()):
        lines += _named(name, dimension, dimension.description)
    lines.append("entities:")
    for name, entity in layer.entities.items():
        lines += _named(name, entity, "")
    lines += ["# What the project is asked every day, by the DAG `connected_project`.", "questions: []"]
    return "\n".join(lines) + "\n"


def _named(name: str, one: Metric | Dimension | Entity, description: str) -> Iterator[str]:
    if description:
        yield f"  # {' '.join(description.split())}"
    english = "" if _HAN.search(one.label) else one.label
    yield f"  {_text(name)}:"
    yield f"    label: {{en: {_text(english)}, zh: {_text(one.label_zh)}}}"
    yield f"    synonyms: {{en: {_list(one.synonyms_en)}, zh: {_list(one.synonyms_zh)}}}"


def _text(text: str) -> str:
    # JSON's strings are YAML's; so no name is read as a number, a date or a yes.
    return text if re.fullmatch(r"[a-z]\w*(\.\w+)?", text) and text not in _WORDS else _quoted(text)


def _list(texts: tuple[str, ...]) -> str:
    return f"[{', '.join(map(_quoted, texts))}]"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


_WORDS = ("yes", "no", "on", "off", "true", "false", "null", "y", "n")
