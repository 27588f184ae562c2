"""How many tokens a text is: the provider's own count where it gave one, else an estimate from above."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage

_BYTES_PER_TOKEN = 3
_MESSAGE_OVERHEAD = 4


def estimated(text: str) -> int:
    """A token for every three bytes of UTF-8. Tokenizers of today make fewer of English (four bytes a token)
    and about as many of Chinese (a character is three bytes): what fits by this estimate fits.
    """
    return -(-len(text.encode(errors="replace")) // _BYTES_PER_TOKEN)


def prompt(messages: Sequence[AnyMessage], tools: Sequence[Mapping[str, Any]]) -> int:
    """The tokens of a question. The newest answer that says what it used counts all that came before it,
    and the tools; what came after is estimated.
    """
    known, start = 0, 0
    for index, message in enumerate(messages):
        used = message.usage_metadata if isinstance(message, AIMessage) else None
        if used and used["input_tokens"]:
            known, start = used["input_tokens"] + used["output_tokens"], index + 1
    if not start:
        known = sum(estimated(json.dumps(tool, ensure_ascii=False)) for tool in tools)
    return known + sum(_MESSAGE_OVERHEAD + estimated(_said(message)) for message in messages[start:])


def _said(message: AnyMessage) -> str:
    content = message.content
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    if isinstance(message, AIMessage) and message.tool_calls:
        text += json.dumps(message.tool_calls, ensure_ascii=False, default=str)
    return text
