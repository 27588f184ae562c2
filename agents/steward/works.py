"""The typed records of the steward's stages, and how each tool's result changes them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from agents.runtime.approval import ProposedCall
from agents.runtime.tools import Result
from agents.runtime.work import ToolCall, Work
from agents.steward.case import Evidence, FailedCheck, Failure, Finding
from agents.steward.evidence import Extent, Measured
from agents.steward.wording import Language, Statement


class Case(BaseModel):
    """The steward's task: a failure, and in which language to tell of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    failure: Failure
    language: Language = "en"
    asked_at: datetime


class Traced(Result):
    """The loaded tables that the failed checks rest on."""

    tables: tuple[str, ...]


class Sized(Result):
    """The days that are compared, the rows of each table, and what is strange about them."""

    extent: Extent
    measured: Measured
    held: tuple[date, date] | None = None

    def shown(self) -> Any:
        return {
            "first": str(self.extent.first),
            "last": str(self.extent.last),
            "signs": _signs((self.measured,)),
        }


class Answered(Result):
    """What some queries returned, and the signs in it."""

    measured: tuple[Measured, ...]

    def shown(self) -> Any:
        return {"signs": _signs(self.measured), "evidence": [one.evidence.id for one in self.measured]}


class Checked(Result):
    """What still fails of the failed task's check, made again; or why it could not be made."""

    failing: tuple[FailedCheck, ...] = ()
    refused: str = ""


class Looked(Result):
    """Which of the approved calls are not to be made, by their keys: what they are about is no longer so."""

    void: dict[str, str]


class Told(Result):
    """Which statements their evidence carries, and why it does not carry the others."""

    kept: tuple[Statement, ...]
    dropped: tuple[tuple[str, str], ...]

    def shown(self) -> Any:
        return {"kept": len(self.kept), "dropped": self.dropped}


class Acted(Result):
    """What was done, a line an act."""

    done: tuple[str, ...]


class PlanWork(Work):
    """Which tables are examined, over which days."""

    failure: Failure
    tables: tuple[str, ...] = ()
    sized: Sized | None = None

    def reduce(self, call: ToolCall, result: Any) -> Self:
        match result:
            case Traced():
                return self.having(tables=result.tables)
            case Sized():
                return self.having(sized=result)
            case _:
                return self


class EvidenceWork(Work):
    """What was asked, as the keys of the calls, and what came back. `failing` is none until it is known what
    of the failed check fails now.
    """

    failure: Failure
    extent: Extent
    questions: tuple[tuple[str, str], ...]
    asked: tuple[str, ...] = ()
    measured: tuple[Measured, ...] = ()
    failing: tuple[FailedCheck, ...] | None = None

    def reduce(self, call: ToolCall, result: Any) -> Self:
        match result:
            case Answered() if call.key not in self.asked:
                measured = (*self.measured, *result.measured)
                return self.having(asked=(*self.asked, call.key), measured=measured)
            case Checked():
                return self.having(asked=(*self.asked, call.key), failing=result.failing)
            case _:
                return self


class ReportWork(Work):
    """The findings, their evidence, and what is said of them."""

    language: Language
    findings: tuple[Finding, ...]
    evidence: dict[str, Evidence]
    statements: tuple[Statement, ...] = ()
    dropped: tuple[tuple[str, str], ...] = ()
    told: bool = False

    def reduce(self, call: ToolCall, result: Any) -> Self:
        if not isinstance(result, Told):
            return self
        return self.having(statements=result.kept, dropped=(*self.dropped, *result.dropped), told=True)


class MendWork(Work):
    """The acts that were approved and the findings that they are about, as of the day `upto`; which of them
    are void, what was done, and what the check says then, or why it says nothing.
    """

    failure: Failure
    language: Language
    calls: tuple[ProposedCall, ...]
    findings: tuple[Finding, ...]
    tables: tuple[str, ...]
    upto: date
    void: dict[str, str] | None = None
    made: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    failing: tuple[FailedCheck, ...] | None = None
    unchecked: str = ""

    @property
    def left(self) -> tuple[ProposedCall, ...]:
        """The calls that are still to be made."""
        void = self.void or {}
        return tuple(call for call in self.calls if call.key not in self.made and call.key not in void)

    def reduce(self, call: ToolCall, result: Any) -> Self:
        match result:
            case Looked():
                return self.having(void=result.void)
            case Acted():
                return self.having(made=(*self.made, call.key), done=(*self.done, *result.done))
            case Checked(refused=""):
                return self.having(failing=result.failing)
            case Checked():
                return self.having(unchecked=result.refused)
            case _:
                return self


def _signs(measured: tuple[Measured, ...]) -> list[dict[str, Any]]:
    """The signs as a language model needs them."""
    return [
        sign.model_dump(mode="json", exclude_defaults=True, exclude={"cites"})
        for one in measured
        for sign in one.signs
    ]
