"""Model choice: any LangChain chat model by name, with a deadline, and the rule-based one behind it."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage

from agents.runtime.errors import ModelError, PermanentError
from agents.runtime.rules import RULES, Policy, RuleModel
from agents.runtime.settings import AgentSettings


@dataclass(frozen=True)
class Thought:
    """What a model proposed. `fallback` says why the rules answered in the place of a provider's model."""

    message: AIMessage
    model: str
    fallback: str = ""


class ModelChoice:
    """The model of one run. After a provider's first failure the rules drive the rest of the run."""

    def __init__(self, settings: AgentSettings, model: BaseChatModel | None = None) -> None:
        """`model` goes before the setting. Raises PermanentError when the setting names no usable model."""
        self._timeout_s = settings.model_timeout_s
        self._provider = model or _open(settings)
        self._name = _name(self._provider, settings.model)
        self._failure = ""

    @property
    def name(self) -> str:
        return RULES if self._provider is None or self._failure else self._name

    def think(self, messages: Sequence[BaseMessage], tools: list[dict[str, Any]], policy: Policy) -> Thought:
        """The next message, with tool calls; never raises for a provider's failure."""
        if self._provider is not None and not self._failure:
            try:
                return Thought(self._ask(self._provider, messages, tools), self._name)
            except ModelError as error:
                self._failure = str(error)
        answer = RuleModel(policy=policy).invoke(list(messages))
        return Thought(answer, RULES, self._failure)

    def _ask(
        self, provider: BaseChatModel, messages: Sequence[BaseMessage], tools: list[dict[str, Any]]
    ) -> AIMessage:
        future: concurrent.futures.Future[AIMessage] = concurrent.futures.Future()

        def run() -> None:
            try:
                future.set_result(provider.bind_tools(tools).invoke(list(messages)))
            except Exception as error:
                future.set_exception(error)

        # A daemon thread, so that a provider that never answers cannot keep the process from ending.
        threading.Thread(target=run, name="chat", daemon=True).start()
        try:
            return future.result(timeout=self._timeout_s)
        except concurrent.futures.TimeoutError as error:
            raise ModelError(f"{self._name} gave no answer within {self._timeout_s:g} s") from error
        except Exception as error:
            raise ModelError(f"{self._name} failed: {type(error).__name__}: {error}") from error


def _open(settings: AgentSettings) -> BaseChatModel | None:
    if not settings.model:
        return None
    from langchain.chat_models import init_chat_model

    try:
        model: BaseChatModel = init_chat_model(
            settings.model, timeout=settings.model_timeout_s, max_retries=1
        )
    except Exception as error:
        raise PermanentError(
            f"TIDEMARK_MODEL={settings.model!r} names no usable model: {error}. "
            "Write LangChain's provider:name, install the provider's package and set its key; "
            "or leave it empty for the rule-based model."
        ) from error
    return model


def _name(model: BaseChatModel | None, configured: str) -> str:
    if configured:
        return configured.partition(":")[2] or configured
    return str(getattr(model, "model_name", "") or getattr(model, "model", "") or type(model).__name__)
