"""A failed gate, test or load becomes a report of what happened, and a proposal that a person may approve."""
