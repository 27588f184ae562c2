"""The open connections: how many there may be, how long each may dawdle, and who has hung up."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class Connections:
    """At most `most` connections; each is at work for us, or has a time by which it must have come on.

    When all places are taken, the one that is nearest to its time is cut off for a new one: who holds
    connections open without a request cannot keep others out.
    """

    def __init__(self, most: int = 512) -> None:
        self._most = most
        self._due: dict[socket.socket, float | None] = {}
        self._lock = threading.Lock()

    def admit(self, client: socket.socket, seconds: float) -> bool:
        """Take a connection in, cutting off another if need be; False when all are at work."""
        with self._lock:
            if len(self._due) >= self._most:
                dawdling = [(due, other) for other, due in self._due.items() if due is not None]
                if not dawdling:
                    return False
                self._cut(min(dawdling, key=lambda pair: pair[0])[1])
            self._due[client] = time.monotonic() + seconds
            return True

    def dawdles(self, client: socket.socket, seconds: float) -> None:
        """It is for the client to go on, within `seconds`."""
        self._set(client, time.monotonic() + seconds)

    def works(self, client: socket.socket) -> None:
        """It is for us to go on."""
        self._set(client, None)

    def left(self, client: socket.socket) -> None:
        with self._lock:
            self._due.pop(client, None)

    def cut_late(self) -> None:
        """Cut off who is late."""
        now = time.monotonic()
        with self._lock:
            for client, due in list(self._due.items()):
                if due is not None and due < now:
                    self._cut(client)

    def _set(self, client: socket.socket, due: float | None) -> None:
        with self._lock:
            if client in self._due:
                self._due[client] = due

    def _cut(self, client: socket.socket) -> None:
        del self._due[client]
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)


class Disconnects:
    """Ends a running statement when its client has closed the connection."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._on_close: dict[int, Callable[[], None]] = {}
        threading.Thread(target=self._poll, name="disconnects", daemon=True).start()

    @contextmanager
    def watch(self, client: socket.socket, kill: Callable[[], object]) -> Iterator[None]:
        number, done = client.fileno(), threading.Event()

        def kill_until_done() -> None:
            # The statement may not have started yet, so once is not enough.
            while not done.wait(0.1):
                kill()

        self._on_close[number] = kill_until_done
        self._epoll.register(number, select.EPOLLRDHUP | select.EPOLLONESHOT)
        try:
            yield
        finally:
            done.set()
            self._epoll.unregister(number)
            self._on_close.pop(number, None)

    def _poll(self) -> None:
        while True:
            for number, _ in self._epoll.poll():
                if on_close := self._on_close.pop(number, None):
                    threading.Thread(target=on_close, daemon=True).start()
