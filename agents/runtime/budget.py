"""What a run or a stage may use, and what it has used."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field


class Budget(BaseModel):
    """Limits; None is no limit. A chat or a call that was begun within them is counted when it has ended, so
    tokens and cost may end above them by one chat.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float | None = Field(default=None, gt=0)
    tokens: int | None = Field(default=None, ge=0)
    cost_usd: float | None = Field(default=None, ge=0)
    tool_calls: int | None = Field(default=None, ge=0)
    iterations: int | None = Field(default=None, ge=0)

    def over(self, spent: Spent, whose: str) -> str:
        """Why nothing more may be begun, or an empty string."""
        if self.cost_usd is not None and spent.unpriced:
            return (
                f"the {whose}'s budget is in USD and {spent.unpriced} of its chats have no known cost: "
                "give the model's price in the models table, or a budget in tokens"
            )
        return next((f"the {whose}'s budget is used up: {one}" for one in self._used_up(spent)), "")

    def _used_up(self, spent: Spent) -> Iterator[str]:
        for name in type(self).model_fields:
            limit, used = getattr(self, name), getattr(spent, name)
            if limit is not None and used >= limit:
                yield f"{used:,.6g} of {limit:,.6g} {name.replace('_', ' ')}"


class Spent(BaseModel):
    """What was used. `unpriced` counts the chats whose cost nobody knows; they are not in `cost_usd`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float = 0.0
    tokens: int = 0
    cost_usd: float = 0.0
    tool_calls: int = 0
    iterations: int = 0
    unpriced: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(**{name: getattr(self, name) + getattr(other, name) for name in type(self).model_fields})
