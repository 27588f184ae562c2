"""The table of models: which model answers which chat, what that costs, and what goes on when one is out."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from agents.runtime import tokens
from agents.runtime.breaker import CALLS_AT_ONCE
from agents.runtime.errors import ModelError, PermanentError
from agents.runtime.models import Models, ModelTable, Thought
from agents.runtime.rules import RULES, Move
from agents.runtime.settings import AgentSettings
from agents.runtime.testing import Say, ScriptedModel

TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
SHIPPED = AgentSettings.model_fields["models_file"].default
NAMES = count()


async def by_the_rules() -> Move:
    return Move("by the rules", (("look", {}),))


def thought(
    models: Models,
    said: str = "go on",
    purpose: str = "sql",
    failed: int = 0,
    tools: int = 1,
    rules: bool = True,
) -> Thought:
    policy = by_the_rules if rules else None
    messages = [HumanMessage(said)]
    return asyncio.run(models.think(messages, [TOOL] * tools, policy, purpose=purpose, failed=failed))


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Models]:
    """Opens a table's models as scripted ones: `opened({"small": answers, …}, more YAML by model)`."""

    def opened_(scripts: dict[str, Any], rows: dict[str, str], **settings: Any) -> Models:
        number = next(NAMES)
        listed = "".join(f"- {{name: 'script-{number}:{name}', {rows.get(name, '')}}}\n" for name in scripts)
        path = tmp_path / "models.yml"
        path.write_text(f"models:\n{listed}")
        models = {
            name: script if isinstance(script, ScriptedModel) else ScriptedModel(script)
            for name, script in scripts.items()
        }
        monkeypatch.setattr(
            "langchain.chat_models.init_chat_model", lambda name, **_: models[name.partition(":")[2]]
        )
        patience = {"model_backoff_s": 0.001, "model_cooldown_s": 3600.0}
        return Models(AgentSettings(models_file=path, **patience, **settings))

    return opened_


def always(_: Any) -> Say:
    return Say(calls=(("look", {}),))


def down(_: Any) -> Say:
    return Say(error=ConnectionError("refused"))


def test_no_model_is_delivered_and_the_rules_answer_at_no_cost() -> None:
    assert ModelTable.load(SHIPPED).models == ()
    models = Models(AgentSettings(model=""))
    answered = thought(models)
    assert (models.name, answered.model, answered.cost_usd, answered.fallback) == (RULES, RULES, 0.0, "")


ROWS = {
    "small": "up_to: {prompt_tokens: 300, tools: 2, failed: 1}",
    "writer": "purposes: [document]",
    "large": "context: 2000",
}


@pytest.mark.parametrize(
    ("asked", "answered_by"),
    [
        ({}, "small"),
        ({"failed": 1}, "small"),
        ({"failed": 2}, "large"),
        ({"tools": 3}, "large"),
        ({"said": "word " * 200}, "large"),
        ({"purpose": "document", "failed": 2}, "writer"),
        ({"said": "word " * 2000}, "small"),
        ({"said": "字" * 400}, "large"),
    ],
)
def test_the_first_model_that_suits_the_stage_and_the_complexity_answers(
    opened: Any, asked: dict[str, Any], answered_by: str
) -> None:
    """What is beyond the small one's limits goes to the others first, and to it when none can take it."""
    models = opened({"small": always, "writer": always, "large": always}, ROWS)
    assert thought(models, **asked).model == answered_by


def test_the_next_model_answers_for_one_that_is_out_and_the_rules_at_last(opened: Any) -> None:
    second = ScriptedModel(lambda asked: always(asked) if len(second.asked) < 3 else down(asked))
    models = opened({"first": down, "second": second}, {})
    tried = [thought(models) for _ in range(3)]
    assert [answer.model for answer in tried] == ["second", "second", RULES]
    assert tried[0].fallback == ""
    assert "first failed (asked 3 times): ConnectionError: refused" in tried[0].passed_over[0]
    assert "first not asked for another" in tried[1].passed_over[0]
    assert "first not asked" in tried[2].fallback
    assert "second failed" in tried[2].fallback


def test_a_question_that_no_model_can_take_is_answered_by_the_rules_and_it_is_said(opened: Any) -> None:
    models = opened({"only": always}, {"only": "context: 100"})
    answered = thought(models, "word " * 200)
    assert answered.model == RULES
    assert answered.fallback.startswith("only takes 100 tokens, and the question has about ")


def test_without_rules_a_failure_is_raised_and_so_is_the_lack_of_a_model(opened: Any) -> None:
    with pytest.raises(PermanentError, match=r"has no rules and no model is set\. Set TIDEMARK_MODEL"):
        thought(Models(AgentSettings(model="")), rules=False)
    with pytest.raises(ModelError, match=r"No model could answer for stage 'sql'.*refused") as raised:
        thought(opened({"only": down}, {}), rules=False)
    assert raised.value.out


PRICE = "usd_per_million: {input: 3, output: 15, cached_input: 0.3}"


@pytest.mark.parametrize(
    ("row", "answer", "usd"),
    [
        (PRICE, Say(tokens=(1000, 200)), 0.006),
        (PRICE, Say(tokens=(1000, 200), cached=500), 0.00465),
        ("usd_per_million: {input: 3, output: 15}", Say(tokens=(1000, 200), cached=500), 0.006),
        ("usd_per_million: {input: 0, output: 0}", Say(tokens=(1000, 200)), 0.0),
        (PRICE, Say(tokens=None), None),
        (PRICE, Say(tokens=(0, 0)), None),
        ("", Say(tokens=(1000, 200)), None),
    ],
)
def test_a_chat_costs_what_the_table_says_and_what_is_not_known_is_not_zero(
    opened: Any, row: str, answer: Say, usd: float | None
) -> None:
    cost = thought(opened({"only": lambda _: answer}, {"only": row})).cost_usd
    assert cost == (usd if usd is None else pytest.approx(usd))


def test_the_set_model_is_the_only_one_and_the_table_says_what_it_costs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "models.yml"
    path.write_text(
        "models:\n- {name: 'a:cheap'}\n"
        f"- {{name: 'a:good', purposes: [document], up_to: {{failed: 0}}, {PRICE}}}\n"
    )
    monkeypatch.setattr("langchain.chat_models.init_chat_model", lambda name, **_: ScriptedModel(always))
    for name, cost in (("a:good", pytest.approx(0.0006)), ("a:other", None)):
        models = Models(AgentSettings(model=name, models_file=path))
        answered = thought(models, purpose="sql", failed=5)
        assert (answered.model, answered.cost_usd) == (name.partition(":")[2], cost)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("models: [{name: no-provider}]", "should match pattern"),
        ("models: [{name: 'a:b'}, {name: 'a:b'}]", "listed twice: a:b"),
        ("models: [{name: 'a:b', price: 3}]", "Extra inputs are not permitted"),
        ("models: [{name: 'a:b', usd_per_million: {input: .nan, output: 1}}]", "finite number"),
        ("models: [{name: 'a:b', usd_per_million: {input: -1, output: 1}}]", "greater than or equal to 0"),
        ("models: [{name: 'nobody:b'}]", "names no usable model"),
        ("models: [", "cannot be used"),
        ("[]", "cannot be used"),
        (None, "No such file"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_at_the_start(
    tmp_path: Path, text: str | None, why: str
) -> None:
    path = tmp_path / "models.yml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(PermanentError, match=why):
        Models(AgentSettings(model="", models_file=path))


def test_what_a_provider_counted_is_taken_and_only_what_came_after_is_estimated() -> None:
    used = {"input_tokens": 5000, "output_tokens": 50, "total_tokens": 5050}
    messages = [HumanMessage("x" * 9000), AIMessage("", usage_metadata=used), HumanMessage("y" * 30)]
    assert tokens.prompt(messages, [TOOL]) == 5050 + 10 + 4
    assert tokens.prompt(messages[:1], [TOOL]) > 3000


def test_a_chat_that_is_cancelled_ends_at_the_provider_too_and_frees_its_place() -> None:
    ended = threading.Event()

    class Slow(ScriptedModel):
        async def _agenerate(self, *arguments: Any, **more: Any) -> Any:
            try:
                return await super()._agenerate(*arguments, **more)
            finally:
                ended.set()

    slow = Slow(lambda asked: Say(delay_s=3600) if len(slow.asked) <= CALLS_AT_ONCE else always(asked))
    models = Models(AgentSettings(model="", model_timeout_s=20.0), slow)

    async def give_up() -> None:
        chat = models.think([HumanMessage("x")], [TOOL], by_the_rules, purpose="sql")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(chat, 0.05)

    for _ in range(CALLS_AT_ONCE):
        asyncio.run(give_up())
        assert ended.wait(10)
        ended.clear()
    assert thought(models).model == "scripted"


def test_one_client_serves_runs_on_different_event_loops(
    model_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clients share their connections, and a connection works on one event loop alone."""
    monkeypatch.setenv("OPENAI_API_KEY", "any")
    with model_server(lambda _: [("look", {})]) as server:
        monkeypatch.setenv("OPENAI_API_BASE", server.url)
        for _ in range(4):
            models = Models(AgentSettings(model=f"openai:loops-{next(NAMES)}"))
            assert [thought(models).passed_over for _ in range(2)] == [(), ()]
        assert len(server.requests) == 8
