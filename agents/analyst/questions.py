"""The lists of questions that are asked on a schedule, kept as YAML beside this file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.runtime.errors import PermanentError
from warehouse.semantic import SemanticLayer
from warehouse.semantic.model import METRIC_TIME

FOLDER = Path(__file__).parent / "questions"
_METRICS = 12
_EVERY = {"day": "日", "week": "周", "month": "月", "quarter": "季度", "year": "年"}


class Section(BaseModel):
    """Questions that belong together in a report."""

    model_config = ConfigDict(extra="forbid")

    title: str
    questions: list[str] = Field(min_length=1)


class QuestionList(BaseModel):
    """A titled list of sections."""

    model_config = ConfigDict(extra="forbid")

    title: str
    sections: list[Section] = Field(min_length=1)


def load_list(name: str) -> QuestionList:
    """The list in `questions/<name>.yml`, or in the file at the path `name`. Raises PermanentError."""
    path = Path(name) if name.endswith((".yml", ".yaml")) else FOLDER / f"{name}.yml"
    try:
        return QuestionList.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        known = ", ".join(sorted(item.stem for item in FOLDER.glob("*.yml")))
        raise PermanentError(f"There is no list of questions {path}; the lists are {known}.") from error
    except (yaml.YAMLError, ValidationError) as error:
        raise PermanentError(f"The list of questions {path} cannot be read: {error}") from error


def project_list(semantic: SemanticLayer) -> QuestionList:
    """What a project asks by itself: what its tidemark.yml says, else its saved queries and metrics."""
    questions = list(semantic.questions)
    if not questions:
        saved = [one for one in semantic.saved_queries.values() if one.where == ()]
        asked = [(one.metrics, one.group_by[:1]) for one in saved]
        asked += [((name,), ("metric_time__month",)) for name in list(semantic.metrics)[:_METRICS]]
        questions = list(dict.fromkeys(_question(semantic, *one) for one in asked))
    return QuestionList(title="Questions", sections=[Section(title="Metrics", questions=questions)])


def _question(semantic: SemanticLayer, metrics: Sequence[str], group_by: Sequence[str]) -> str:
    """In the language of the metrics' labels."""
    known = [semantic.metrics[name] for name in metrics if name in semantic.metrics]
    chinese = any(metric.label_zh and metric.label == metric.label_zh for metric in known)
    item = group_by[0] if group_by else ""
    base, _, grain = item.rpartition("__")
    dimension = semantic.dimensions.get(item)
    if chinese:
        by = _EVERY.get(grain, "") if base == METRIC_TIME else dimension.label_zh if dimension else ""
        return f"{f'按{by}' if by else ''}{'和'.join(metric.label_zh or metric.label for metric in known)}"
    by = grain if base == METRIC_TIME else dimension.label.lower() if dimension else ""
    return f"{' and '.join(metric.label for metric in known)}{f' by {by}' if by else ''}"


def load_questions(name: str) -> list[str]:
    """The questions of a list, in order."""
    return [question for section in load_list(name).sections for question in section.questions]
