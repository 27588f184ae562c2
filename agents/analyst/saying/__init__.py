"""An intent and its result in words: its sentence, the names of its columns, the text, the notes."""

from agents.analyst.saying.labels import label
from agents.analyst.saying.notes import notes
from agents.analyst.saying.reading import read
from agents.analyst.saying.refusals import refused
from agents.analyst.saying.sentences import sentence

__all__ = ["label", "notes", "read", "refused", "sentence"]
