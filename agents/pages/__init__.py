"""What every agent's report is made of: a page needing no other file, and a folder that appears at once."""

from agents.pages.page import document, published, templates

__all__ = ["document", "published", "templates"]
