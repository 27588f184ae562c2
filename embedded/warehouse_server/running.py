"""Which statements run: how many at once, and by which id, which is the user's own and nobody else's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from embedded.warehouse_server.errors import WarehouseServerError
from embedded.warehouse_server.statements import Node

# Apart, so that readers who sleep in all of theirs keep no writer out.
WRITER_PLACES, READER_PLACES = 50, 50
_QUEUE = 100
_QUEUE_SECONDS = 10.0


class Places:
    """Places among the statements that run at once, and in the queue for them."""

    def __init__(self, places: int, queue: int = _QUEUE, seconds: float = _QUEUE_SECONDS) -> None:
        self._places = threading.BoundedSemaphore(places)
        self._queue = threading.BoundedSemaphore(places + queue)
        self._seconds = seconds
        self._error = WarehouseServerError(
            202, f"Too many simultaneous queries: all {places} places of this user are taken; try again later"
        )

    @contextmanager
    def taken(self) -> Iterator[None]:
        """A place, after a wait. Raises code 202 when there is none, at once when the queue is full too."""
        if not self._queue.acquire(blocking=False):
            raise self._error
        try:
            if not self._places.acquire(timeout=self._seconds):
                raise self._error
            try:
                yield
            finally:
                self._places.release()
        finally:
            self._queue.release()


class Running:
    """The running statements by user and query_id."""

    def __init__(self) -> None:
        self.writers = Places(WRITER_PLACES)
        self.readers = Places(READER_PLACES)
        self._private: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    @contextmanager
    def entered(self, user: str, query_id: str) -> Iterator[str]:
        """The private id of a statement while it runs. Raises code 216 when another one has the id."""
        key, private = (user, query_id), uuid4().hex
        with self._lock:
            if self._private.setdefault(key, private) != private:
                raise WarehouseServerError(216, f"Query with id = {query_id} is already running.")
        try:
            yield private
        finally:
            with self._lock:
                del self._private[key]

    def private(self, user: str, query_id: str) -> str | None:
        with self._lock:
            return self._private.get((user, query_id))


def killed_query_id(tree: Node, user: str) -> str | None:
    """The id in `KILL QUERY WHERE query_id = '...'`, also with `AND user = ...`; None for anything else.

    `tree` is the engine's own. A condition on a user is met by the one who asks, by name or as
    currentUser(); on another one it is none of this form.
    """
    if tree.get("type") != "KillQueryQuery" or tree.get("kill_type") != "Query" or "cluster" in tree:
        return None
    condition = tree.get("where_expression", {})
    both = condition.get("name") == "and"
    terms = sorted(_equality(term) for term in (_arguments(condition) if both else [condition]))
    match terms:
        case [("query_id", query_id)]:
            return query_id
        case [("query_id", query_id), ("user", name)] if name in (user, "currentUser()"):
            return query_id
    return None


def kill_mode(tree: Node) -> str:
    """The word at the end of a KILL QUERY."""
    return "TEST" if tree.get("test") else "SYNC" if tree.get("sync") else "ASYNC"


def _equality(term: Node) -> tuple[str, str]:
    arguments = _arguments(term)
    if term.get("type") != "Function" or term.get("name") != "equals" or len(arguments) != 2:
        return "", ""
    left, right = arguments
    value = right.get("value", {})
    if left.get("type") == "Identifier" and value.get("field_type") == "String":
        return left["name"], value["value"]
    if (left.get("name"), right.get("name")) == ("user", "currentUser"):
        return "user", "currentUser()"
    return "", ""


def _arguments(function: Node) -> list[Node]:
    return function.get("arguments", {}).get("children", [])
