"""Which model answers a chat, by stage and measured complexity, at which price; and the rules behind all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage
from pydantic import BaseModel, ConfigDict, Field, field_validator

from agents.runtime import messages as said
from agents.runtime import tokens
from agents.runtime.breaker import Breaker, shared
from agents.runtime.errors import ModelError, PermanentError
from agents.runtime.provider import Provider
from agents.runtime.rules import RULES, Move, say
from agents.runtime.settings import AgentSettings

_REASON_LIMIT = 500


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Price(_Row):
    """USD per million tokens; without a price of their own, cached tokens cost as much as any."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached_input: float | None = Field(default=None, ge=0)

    def of(self, answer: AIMessage) -> float | None:
        """What an answer cost, USD; None when its provider did not say how many tokens it took."""
        used = answer.usage_metadata
        if not used or not used["input_tokens"]:
            return None
        cached = min(used.get("input_token_details", {}).get("cache_read", 0), used["input_tokens"])
        cached_price = self.input if self.cached_input is None else self.cached_input
        fresh = used["input_tokens"] - cached
        return (fresh * self.input + cached * cached_price + used["output_tokens"] * self.output) / 1e6


class Complexity(_Row):
    """What is measured of a chat before it is made: the tokens of the question (see `tokens.prompt`), the
    tools offered, and the stage's iterations that have already been judged too low.
    """

    prompt_tokens: int = Field(ge=0)
    tools: int = Field(ge=0)
    failed: int = Field(ge=0)


class UpTo(_Row):
    """The most that a model should be asked for; None: any."""

    prompt_tokens: int | None = None
    tools: int | None = None
    failed: int | None = None

    def holds(self, asked: Complexity) -> bool:
        limits = self.model_dump(exclude_none=True)
        return all(getattr(asked, name) <= limit for name, limit in limits.items())


class ModelRow(_Row):
    """A model of the table: LangChain's `provider:name`, what it costs, takes and is for."""

    name: str = Field(pattern=r"^[^:\s]+:\S+$")
    usd_per_million: Price | None = None
    context: int | None = Field(default=None, gt=0)
    purposes: tuple[str, ...] = ()
    up_to: UpTo = UpTo()


class ModelTable(_Row):
    models: tuple[ModelRow, ...] = ()

    @field_validator("models")
    @classmethod
    def _once(cls, models: tuple[ModelRow, ...]) -> tuple[ModelRow, ...]:
        names = [row.name for row in models]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"listed twice: {', '.join(sorted(twice))}")
        return models

    @classmethod
    def load(cls, path: Path) -> ModelTable:
        """Raises PermanentError when the file is no such table."""
        try:
            listed = yaml.safe_load(path.read_text(encoding="utf-8"))
            return cls.model_validate({} if listed is None else listed)
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise PermanentError(
                f"The table of models {path} cannot be used: {error}. Write it as agents/runtime/models.yml "
                "shows, or unset TIDEMARK_MODELS_FILE."
            ) from error

    def alone(self, name: str) -> ModelRow:
        """The model as the only one: for every stage, whatever it is asked."""
        listed = next((row for row in self.models if row.name == name), ModelRow.model_construct(name=name))
        return listed.model_copy(update={"purposes": (), "up_to": UpTo()})


@dataclass(frozen=True)
class Thought:
    """What a model proposed, and what that cost in USD: None when its price or its tokens are not known.

    `passed_over` says why each model that goes before it did not answer; `fallback` why the rules answered
    in the place of all of them.
    """

    message: AIMessage
    model: str
    cost_usd: float | None = 0.0
    fallback: str = ""
    passed_over: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Option:
    row: ModelRow
    provider: Provider


class Models:
    """The models of an agent's runs. A call that all providers fail is made by the rules, that call alone."""

    def __init__(self, settings: AgentSettings, model: BaseChatModel | None = None) -> None:
        """`model` goes before TIDEMARK_MODEL, and that before the table, which then only says what the model
        costs and takes. Raises PermanentError when one of them names no usable model.
        """
        table = ModelTable.load(settings.models_file)
        self._settings = settings
        if model is not None:
            row = table.alone(settings.model or _own_name(model))
            self._options = [self._option(row, model, Breaker(settings.model_cooldown_s))]
        elif settings.model:
            self._options = [self._open(table.alone(settings.model), f"TIDEMARK_MODEL={settings.model!r}")]
        else:
            self._options = [self._open(row, f"{settings.models_file}: {row.name!r}") for row in table.models]

    @property
    def name(self) -> str:
        """The model that is asked first, as a run's record names it."""
        return self._options[0].provider.name if self._options else RULES

    async def think(
        self,
        messages: Sequence[AnyMessage],
        tools: list[dict[str, Any]],
        policy: Callable[[], Awaitable[Move]] | None,
        *,
        purpose: str,
        failed: int = 0,
        late: bool = False,
    ) -> Thought:
        """The next message, with tool calls. A provider's failure raises ModelError only when there is no
        policy to answer in its place; without a model either, PermanentError is raised. `late`: a model has
        had all the chats that it may have, and the policy answers.
        """
        asked = Complexity(
            prompt_tokens=tokens.prompt(messages, tools) if self._options else 0,
            tools=len(tools),
            failed=failed,
        )
        passed_over: list[str] = []
        # A model that was asked for a call and made none, twice, is not asked a third time in vain.
        idle = policy is not None and said.idle(messages) > 1
        late = late and policy is not None
        for option in self._options if idle or late else ():
            why = "called no tool twice in a row" if idle else f"came to nothing in {failed} chats"
            passed_over.append(f"{option.provider.name} {why}")
        for option in [] if idle or late else self._suitable(purpose, asked, passed_over):
            try:
                answer = await option.provider.ask(messages, tools)
            except ModelError as error:
                passed_over.append(f"{option.provider.name} {error}"[:_REASON_LIMIT])
                continue
            price = option.row.usd_per_million
            return Thought(
                said.kept(answer, len(messages)),
                option.provider.name,
                price.of(answer) if price else None,
                passed_over=tuple(passed_over),
            )
        why = "; ".join(passed_over)
        if policy is not None:
            return Thought(say(await policy(), len(messages)), RULES, 0.0, why, tuple(passed_over))
        if not self._options:
            raise PermanentError(
                f"Stage {purpose!r} has no rules and no model is set. Set TIDEMARK_MODEL or write a table."
            )
        raise ModelError(f"No model could answer for stage {purpose!r}, which has no rules: {why}", True)

    def _suitable(self, purpose: str, asked: Complexity, passed_over: list[str]) -> list[_Option]:
        """The models in the order in which they are asked; those that cannot take the question are passed
        over. What is beyond a model's limits it is asked for after the others.
        """
        fitting = []
        for option in self._options:
            row = option.row
            if row.purposes and purpose not in row.purposes:
                continue
            if row.context is not None and asked.prompt_tokens > row.context:
                passed_over.append(
                    f"{option.provider.name} takes {row.context:,} tokens, "
                    f"and the question has about {asked.prompt_tokens:,}"
                )
                continue
            fitting.append(option)
        return sorted(fitting, key=lambda option: not option.row.up_to.holds(asked))

    def _option(self, row: ModelRow, model: BaseChatModel, breaker: Breaker) -> _Option:
        return _Option(row, Provider(model, row.name.partition(":")[2] or row.name, breaker, self._settings))

    def _open(self, row: ModelRow, where: str) -> _Option:
        from langchain.chat_models import init_chat_model

        try:
            # Asking again is ours, see `Provider`: a client's own retries would run past the deadline.
            model: BaseChatModel = init_chat_model(
                row.name, timeout=self._settings.model_timeout_s, max_retries=0
            )
        except Exception as error:
            raise PermanentError(
                f"{where} names no usable model: {error}. "
                "Write LangChain's provider:name, install the provider's package and set its key; "
                "or leave it empty for the rule-based model."
            ) from error
        return self._option(row, model, shared(row.name, self._settings.model_cooldown_s))


def _own_name(model: BaseChatModel) -> str:
    return str(getattr(model, "model_name", "") or getattr(model, "model", "") or type(model).__name__)
