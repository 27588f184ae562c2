"""Ids of running statements: each user's own, for cancelling and for nothing else."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from warehouse_process import Reply, WarehouseProcess

SLOW = "SELECT sum(cityHash64(toString(number))) FROM numbers(900000000)"
RUNNING = "select count() from system.processes where startsWith(query, 'SELECT sum(cityHash64')"


@contextmanager
def running(warehouse: WarehouseProcess, user: str, query_id: str) -> Iterator[list[Reply]]:
    """A statement of a minute, under way; its answer is in the list at the end."""
    answers: list[Reply] = []
    slow = threading.Thread(target=lambda: answers.append(warehouse.ask(SLOW, user, query_id=query_id)))
    slow.start()
    until(lambda: warehouse.sql(RUNNING) == "1")
    yield answers
    slow.join()


def until(condition: Any) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("user", ["tidemark", "reader"])
@pytest.mark.parametrize(
    "kill",
    [
        "kill query where query_id='mine'",
        "KILL QUERY WHERE query_id = 'mine' AND user = '{user}' SYNC",
        "kill /* ’ */ query where user = currentUser() and query_id = 'mine' async format JSONEachRow",
    ],
)
def test_a_user_ends_a_statement_of_its_own(warehouse: WarehouseProcess, user: str, kill: str) -> None:
    with running(warehouse, user, "mine") as answers:
        reply = warehouse.ask(kill.format(user=user), user=user)
        assert reply.status == 200, reply.text
        assert SLOW in reply.text
    assert answers[0].code == "394"


def test_nobody_ends_the_statement_of_another(warehouse: WarehouseProcess) -> None:
    with running(warehouse, "tidemark", "theirs"):
        assert warehouse.ask("kill query where query_id = 'theirs'", user="reader").body == b""
        for sql in (
            "kill query where query_id = 'theirs' and user = 'tidemark'",
            "kill query where query_id != ''",
            "kill query where query_id = 'theirs' or 1",
            "kill query where query_id = 'theirs' and query_id = 'other'",
            "kill query where 1",
        ):
            assert warehouse.ask(sql, user="reader").code in ("164", "497"), sql
        # The same id is another statement when another user says it, however that ends.
        assert warehouse.ask("select 1", user="reader", query_id="theirs").text == "1\n"
        with socket.create_connection(("127.0.0.1", warehouse.port)) as client:
            client.sendall(
                b"POST /?user=reader&password=reader&query_id=theirs HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(SLOW), SLOW.encode())
            )
            until(lambda: warehouse.sql(RUNNING) == "2")
        until(lambda: warehouse.sql(RUNNING) == "1")
        assert warehouse.ask("select 1", query_id="theirs").code == "216"
        assert warehouse.ask("kill query where query_id = 'theirs' sync").status == 200


def test_an_id_is_free_again_after_its_statement(warehouse: WarehouseProcess) -> None:
    for sql, status in (("select 1", 200), ("select nope", 404), ("select 1", 200)):
        reply = warehouse.ask(sql, query_id="again")
        assert reply.status == status
        assert reply.headers["x-clickhouse-query-id"] == "again"
