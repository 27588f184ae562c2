"""An intent in words: the sentence that says it, the names of its columns, its notes, and what a follow-up
makes of it.
"""

from agents.analyst.saying.labels import label
from agents.analyst.saying.notes import notes
from agents.analyst.saying.reading import read
from agents.analyst.saying.refusals import refused
from agents.analyst.saying.sentences import sentence

__all__ = ["label", "notes", "read", "refused", "sentence"]
