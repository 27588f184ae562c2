"""Model choice: any LangChain chat model by name, asked with patience, and the rules behind each call."""

from __future__ import annotations

import concurrent.futures
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage

from agents.runtime import messages as said
from agents.runtime.breaker import Breaker, shared
from agents.runtime.errors import ModelError, PermanentError
from agents.runtime.failures import judge
from agents.runtime.rules import RULES, Move, say
from agents.runtime.settings import AgentSettings

ATTEMPTS = 3
_REASON_LIMIT = 500


@dataclass(frozen=True)
class Thought:
    """What a model proposed. `fallback` says why the rules answered in the place of a provider's model."""

    message: AIMessage
    model: str
    fallback: str = ""


class ModelChoice:
    """The model of an agent's runs. Each call that a provider fails is made by the rules, that call alone."""

    def __init__(self, settings: AgentSettings, model: BaseChatModel | None = None) -> None:
        """`model` goes before the setting. Raises PermanentError when the setting names no usable model."""
        self._settings = settings
        self._provider = model or _open(settings)
        self._name = _name(self._provider, settings.model)
        cooldown = settings.model_cooldown_s
        self._breaker = shared(settings.model, cooldown) if model is None else Breaker(cooldown)

    @property
    def name(self) -> str:
        return RULES if self._provider is None else self._name

    def think(
        self, messages: Sequence[AnyMessage], tools: list[dict[str, Any]], rules: Callable[[], Move]
    ) -> Thought:
        """The next message, with tool calls; never raises for a provider's failure."""
        failure = ""
        if self._provider is not None:
            try:
                if said.idle(messages) > 1:
                    raise ModelError("called no tool twice in a row")
                with self._breaker.call():
                    answer = self._ask(self._provider, messages, tools)
                return Thought(said.kept(answer, len(messages)), self._name)
            except ModelError as error:
                failure = f"{self._name} {error}"[:_REASON_LIMIT]
        return Thought(say(rules(), len(messages)), RULES, failure)

    def _ask(
        self, provider: BaseChatModel, messages: Sequence[AnyMessage], tools: list[dict[str, Any]]
    ) -> AIMessage:
        """Ask, and again what may go through again, until the call's deadline."""
        deadline = time.monotonic() + self._settings.model_timeout_s
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._once(provider, messages, tools, deadline)
            except ModelError:
                raise
            except Exception as error:
                failure = judge(error)
                # Spread out, so that all who were turned away do not come back at the same moment.
                backoff = self._settings.model_backoff_s * 2 ** (attempt - 1) * random.uniform(0.5, 1.0)
                wait = max(failure.wait_s, backoff)
                if not failure.again or attempt == ATTEMPTS or time.monotonic() + wait >= deadline:
                    tried = f" (asked {attempt} times)" if attempt > 1 else ""
                    raise ModelError(
                        f"failed{tried}: {type(error).__name__}: {error}", failure.out, failure.wait_s
                    ) from error
            time.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _once(
        self,
        provider: BaseChatModel,
        messages: Sequence[AnyMessage],
        tools: list[dict[str, Any]],
        deadline: float,
    ) -> AIMessage:
        """One attempt, given up at the deadline whatever the provider's client does."""
        late = f"gave no answer within {self._settings.model_timeout_s:g} s"
        slots = self._breaker.slots
        if not slots.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise ModelError(f"{late}: too many earlier calls have not ended", True)
        future: concurrent.futures.Future[AIMessage] = concurrent.futures.Future()

        def run() -> None:
            try:
                future.set_result(provider.bind_tools(tools).invoke(list(messages)))
            except BaseException as error:
                future.set_exception(error)
            finally:
                slots.release()

        # A daemon thread, so that a provider that never answers cannot keep the process from ending.
        threading.Thread(target=run, name="chat", daemon=True).start()
        done, _ = concurrent.futures.wait([future], timeout=max(0.0, deadline - time.monotonic()))
        if not done:
            raise ModelError(late, True)
        return future.result()


def _open(settings: AgentSettings) -> BaseChatModel | None:
    if not settings.model:
        return None
    from langchain.chat_models import init_chat_model

    try:
        # Asking again is ours, see `_ask`: a client's own retries would run past the deadline.
        model: BaseChatModel = init_chat_model(
            settings.model, timeout=settings.model_timeout_s, max_retries=0
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
