"""A person's approval: what is proposed, what was decided, and which decisions are not taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from agents.runtime.errors import PermanentError
from agents.runtime.work import call_key, digest


class DecisionRefusedError(PermanentError):
    """A decision that cannot be taken: the run is not asking, was answered before, or asks otherwise now."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ProposedCall(_Record):
    """A tool call that is to be made once a person has approved it."""

    tool: str
    arguments: Mapping[str, Any] = {}

    @property
    def key(self) -> str:
        return call_key(self.tool, self.arguments)


class Proposal(_Record):
    """What an agent would do: in words for a person, as the calls that do it, and the evidence for it."""

    what: str
    calls: tuple[ProposedCall, ...] = ()
    evidence: tuple[str, ...] = ()


class Request(Proposal):
    """A proposal that waits for a person. `key` names it within its run, `effects` are those that the tool
    registry gives for its calls, and `proposal` is the digest of it all: a decision says by it what it means.
    """

    key: str
    effects: tuple[str, ...] = ()
    proposal: str

    def same_calls(self, other: Request) -> bool:
        """Whether both are about the very same calls, so that one answer is the answer to both."""
        own, others = ({call.key for call in one.calls} for one in (self, other))
        return bool(own) and own == others

    @classmethod
    def of(cls, key: str, proposal: Proposal, effects: tuple[str, ...]) -> Request:
        content = proposal.model_dump(mode="json")
        return cls(key=key, effects=effects, proposal=digest(content, effects), **content)


class Decision(_Record):
    """What a person decided about a request. `edits`, if there are any, are made in the place of the calls
    that were proposed: the same tools with other arguments, or some of them.
    """

    request: str
    proposal: str
    verdict: Literal["approve", "reject"]
    by: str = Field(min_length=1)
    at: AwareDatetime
    edits: tuple[ProposedCall, ...] | None = None
    reason: str = ""


def granted(request: str, call: str) -> str:
    """An approval of one call: the call's key and the request that a person approved."""
    return f"{call}@{request}"


class Decided(_Record):
    """A request with its decision."""

    request: Request
    decision: Decision

    @property
    def approved(self) -> bool:
        return self.decision.verdict == "approve"

    @property
    def calls(self) -> tuple[ProposedCall, ...]:
        """The calls that may be made now."""
        if not self.approved:
            return ()
        return self.request.calls if self.decision.edits is None else self.decision.edits

    @property
    def grants(self) -> set[str]:
        """The approvals that follow from it, one for each call. Requests that were answered as one give the
        same, so that a call which both propose is made once.
        """
        return {granted(self.decision.request, call.key) for call in self.calls}

    def __str__(self) -> str:
        verdict = {"approve": "approved", "reject": "rejected"}[self.decision.verdict]
        return f"{self.request.key!r} was {verdict} by {self.decision.by} at {self.decision.at.isoformat()}"


def take(decision: Decision, waiting: Mapping[str, Request], decided: Mapping[str, Decided]) -> bool:
    """Whether a decision is a new one; False for the very one that was taken before, as a retry gives it.

    Raises DecisionRefusedError for any other.
    """
    if before := decided.get(decision.request):
        if before.decision == decision:
            return False
        raise DecisionRefusedError(f"{before}: the decision of {decision.by} comes second and is not taken.")
    request = waiting.get(decision.request)
    if request is None:
        asked = ", ".join(map(repr, waiting)) or "nothing"
        raise DecisionRefusedError(
            f"Nothing waits for a decision as {decision.request!r}: the run asks for {asked}."
        )
    check(decision, request)
    return True


def check(decision: Decision, request: Request) -> None:
    """Raises DecisionRefusedError for a decision about another proposal, or one with tools of its own."""
    if decision.proposal != request.proposal:
        raise DecisionRefusedError(
            f"{request.key!r} has changed since {decision.by} decided about it ({decision.proposal}): it is "
            f"now {request.proposal}, {request.what!r}. Read it again and decide about that."
        )
    foreign = {edit.tool for edit in decision.edits or ()} - {call.tool for call in request.calls}
    if foreign:
        raise DecisionRefusedError(
            f"{decision.by} added {', '.join(sorted(foreign))} to {request.key!r}, which proposes no such "
            "tool: a decision may change arguments and leave calls out."
        )


def asked_once(requests: Iterable[Request]) -> tuple[Request, ...]:
    """The requests that a person is shown: of those that propose the same calls, the first."""
    shown: list[Request] = []
    for request in requests:
        if not any(request.same_calls(one) for one in shown):
            shown.append(request)
    return tuple(shown)


def taken(decision: Decision, waiting: tuple[Request, ...], decided: Mapping[str, Decided]) -> None:
    """That the run went on with this decision, and not with one that a killed process had been given.

    Raises as `check` and `take` do.
    """
    for request in waiting:
        if request.key == decision.request:
            check(decision, request)
    take(decision, {}, decided)
