"""A report's page and its folder, whoever wrote it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from agents.pages import fonts
from agents.runtime.errors import PermanentError


@contextmanager
def published(folder: Path) -> Iterator[Path]:
    """A draft to write into; when the block has ended it is `folder`, in place of what that was.

    Readers never see a half-written folder. Raises PermanentError when it cannot be written.
    """
    draft = folder.with_name(f".{folder.name}.writing")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        yield draft
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise PermanentError(
            f"The report {folder} cannot be written: {error}. Free space there or set TIDEMARK_STATE_DIR."
        ) from error


def document(title: str, language: str, chapters: list[tuple[str, list[Markup]]]) -> str:
    """A whole page of chapters (title, sections); it needs no other file and no network."""
    template = templates(Path(__file__).parent).get_template("page.html.j2")
    page = template.render(title=title, language=language, chapters=chapters)
    return fonts.into_page(page, fonts.face(page))


@lru_cache(maxsize=8)
def templates(package: Path) -> Environment:
    """The Jinja templates beside a package's files."""
    return Environment(
        loader=FileSystemLoader(package / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
