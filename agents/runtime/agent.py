"""An agent is a graph of stages and of other agents: sequence, branch, parallel, loop, approval.

    FIND = StageNode("find", Found, lambda done: find_stage(done.task.question, done.deps))
    APPLY = StageNode("apply", Applied, lambda done: apply_stage(done.decided(ASK).calls))
    ASK = Approval("ask", lambda done: Proposal(what=…, calls=…), then=APPLY)
    agent = Agent("mender", Question, sequence(FIND, Branch("found", lambda done: …, {"much": ASK})))
    done = await run_agent(agent, task, run)

A node is made of the outcomes before it. Each is kept when its node has ended, so that another process goes
on with what had not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, TypeAdapter

from agents.runtime.approval import Decided, Proposal, Request
from agents.runtime.stage import Outcome, Stage
from agents.runtime.work import Work

W = TypeVar("W", bound=Work)
T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True)
class Done(Generic[T]):
    """What an agent has done so far, as its next node sees it: its task, its dependencies, what came of each
    node. `waiting` are the requests that a person has not answered; `ended` says that nothing is left to do;
    `read` are the outcomes that have been read of the state.
    """

    task: T
    deps: Any
    state: Mapping[str, Any]
    waiting: tuple[Request, ...] = ()
    ended: bool = False
    scope: str = ""
    read: dict[tuple[str, str], Outcome[Any]] = field(default_factory=dict)

    def get(self, node: StageNode[W]) -> Outcome[W] | None:
        """The stage's newest outcome; None while it has none."""
        place = self.scope + node.name
        kept = self.state["outcomes"].get(place)
        if kept is None:
            return None
        # A large result takes long to read: once is enough.
        if (place, kept) not in self.read:
            self.read[place, kept] = node.restored(kept)
        return self.read[place, kept]

    def __getitem__(self, node: StageNode[W]) -> Outcome[W]:
        outcome = self.get(node)
        if outcome is None:
            raise LookupError(f"stage {self.scope + node.name!r} has not run yet")
        return outcome

    def decided(self, node: Approval) -> Decided | None:
        """The newest decision at an approval; None while it has none."""
        kept = self.state["newest"].get(self.scope + node.name)
        return None if kept is None else Decided.model_validate_json(self.state["decided"][kept])

    def turns(self, node: Loop) -> int:
        """How often a loop's body has run."""
        return int(self.state["turns"].get(self.scope + node.name, 0))

    def within(self, node: AgentNode[Any]) -> Done[Any]:
        """What an agent that is a node of this one has done."""
        scope = f"{self.scope}{node.name}/"
        task = node.agent.task.model_validate_json(self.state["tasks"][scope])
        return replace(self, task=task, scope=scope)


@dataclass(frozen=True)
class StageNode(Generic[W]):
    """A stage that is made when its turn comes, of what was done before; `work` is the type of its record.

    `make` is quick and does nothing itself: what the stage does, its tools do.
    """

    name: str
    work: type[W]
    make: Callable[[Done[Any]], Stage[W]]

    def kept(self, outcome: Outcome[W]) -> str:
        return self._outcome.dump_json(outcome).decode()

    def restored(self, kept: str) -> Outcome[W]:
        return self._outcome.validate_json(kept)

    @property
    def _outcome(self) -> TypeAdapter[Outcome[W]]:
        return TypeAdapter(Outcome[self.work])  # type: ignore[name-defined]  # a type that is known at run time


@dataclass(frozen=True)
class AgentNode(Generic[T]):
    """Another agent as a node; `task` makes its task."""

    name: str
    agent: Agent[T]
    task: Callable[[Done[Any]], T]


@dataclass(frozen=True)
class Sequence:
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Parallel:
    """Nodes side by side; what comes after waits for all of them."""

    name: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Branch:
    """The arm that `choose` names, or none for None."""

    name: str
    choose: Callable[[Done[Any]], str | None]
    arms: Mapping[str, Node]


@dataclass(frozen=True)
class Loop:
    """A node again and again, until `until` holds after it or it has run `limit` times."""

    name: str
    body: Node
    until: Callable[[Done[Any]], bool]
    limit: int


@dataclass(frozen=True)
class Approval:
    """Asks a person; `then` runs when the proposal is approved, and can make its calls; else `otherwise`."""

    name: str
    propose: Callable[[Done[Any]], Proposal]
    then: Node
    otherwise: Node | None = None


Node = StageNode[Any] | AgentNode[Any] | Sequence | Parallel | Branch | Loop | Approval


def sequence(*nodes: Node) -> Sequence:
    return Sequence(nodes)


def parallel(name: str, *nodes: Node) -> Parallel:
    return Parallel(name, nodes)


@dataclass(frozen=True, eq=False)
class Agent(Generic[T]):
    """A named graph with the type of its task. Raises ValueError when two of its nodes have one name."""

    name: str
    task: type[T]
    body: Node
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        names = tuple(_names(self.body))
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"agent {self.name}: two nodes are called {', '.join(sorted(twice))}")
        if wrong := [name for name in names if not name or "/" in name]:
            raise ValueError(f"agent {self.name}: a node cannot be called {wrong[0]!r}")
        object.__setattr__(self, "names", names)


def _names(node: Node) -> Iterator[str]:
    if not isinstance(node, Sequence):
        yield node.name
    for child in children(node):
        yield from _names(child)


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below one, within the same agent."""
    match node:
        case Sequence(nodes) | Parallel(_, nodes):
            return nodes
        case Branch(arms=arms):
            return tuple(arms.values())
        case Loop(body=body):
            return (body,)
        case Approval(then=then, otherwise=otherwise):
            return (then,) if otherwise is None else (then, otherwise)
        case _:
            return ()
