"""The lists of questions that are asked on a schedule, kept as YAML beside this file."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.runtime.errors import PermanentError

FOLDER = Path(__file__).parent / "questions"


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


def load_questions(name: str) -> list[str]:
    """The questions of a list, in order."""
    return [question for section in load_list(name).sections for question in section.questions]
