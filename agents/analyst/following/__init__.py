"""What is asked after an answer, in as few words as it takes: `and by country?`, `last year instead`."""

from agents.analyst.following.follow import followed
from agents.analyst.following.merge import FollowUp, merge

__all__ = ["FollowUp", "followed", "merge"]
