"""What one client may hold: bodies, places, sessions, connections; and who is no client at all."""

from __future__ import annotations

import base64
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from embedded.warehouse_server.body import Body, Form
from embedded.warehouse_server.codecs import decoded
from embedded.warehouse_server.connections import Connections
from embedded.warehouse_server.errors import WarehouseServerError
from embedded.warehouse_server.running import Places
from warehouse_process import Reply, WarehouseProcess

MIB = 1 << 20


def until(condition: Any) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def resident(server: WarehouseProcess) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) >> 10


def raw(server: WarehouseProcess, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        answer = b""
        # A server that has read enough closes, and what is still on its way resets the connection.
        with suppress(OSError):
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            while piece := client.recv(MIB):
                answer += piece
    return answer


def post(headers: str, body: bytes = b"select 1", host: str = "localhost") -> bytes:
    head = (
        f"POST /?user=tidemark&password=tidemark HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}"
    )
    return f"{head}\r\n\r\n".encode() + body


BOMB = zstd.compress(b"\n" * (64 * MIB)) * 32


@pytest.mark.parametrize("user", ["reader", "tidemark"])
@pytest.mark.parametrize("where", ["statement", "form"])
def test_a_small_body_that_unpacks_to_gigabytes_is_refused(
    warehouse: WarehouseProcess, user: str, where: str
) -> None:
    headers = {"Content-Encoding": "zstd"}
    if where == "form":
        headers["Content-Type"] = "multipart/form-data; boundary=cut"
    before = resident(warehouse)
    reply = warehouse.ask(BOMB, user=user, headers=headers)
    assert (reply.status, reply.code) == (413, "165")
    assert resident(warehouse) - before < 300


def test_rows_unpack_piece_by_piece_until_no_rows_are_like_that(warehouse: WarehouseProcess) -> None:
    warehouse.sql("create or replace table ods.rows (s String) engine = MergeTree order by s")
    where = {"query": "insert into ods.rows format TSV"}
    honest = zstd.compress(b"".join(b"%d line of a log\n" % (n % 100) for n in range(500_000)))
    assert warehouse.ask(honest, headers={"Content-Encoding": "zstd"}, **where).status == 200
    assert warehouse.sql("select count() from ods.rows") == "500000"
    with pytest.raises(WarehouseServerError, match="more than 500 times"):
        assert max(map(len, decoded(iter([BOMB]), "zstd"))) <= MIB


def test_a_form_has_bounds_of_its_own() -> None:
    part = b'--cut\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'
    form = "multipart/form-data; boundary=cut"
    assert Form.parse(form, [part * 1000, b"--cut--"]).fields == {"a": "x"}
    with pytest.raises(WarehouseServerError, match="more than 1000 parts"):
        Form.parse(form, [part * 1001 + b"--cut--"])
    with pytest.raises(WarehouseServerError, match="header size"):
        Form.parse(form, [b"--cut\r\nX: " + b"x" * 9000 + b"\r\n\r\nx\r\n--cut--"])
    with pytest.raises(WarehouseServerError, match="boundary"):
        Form.parse("multipart/form-data", [part])
    with pytest.raises(WarehouseServerError, match="before its last boundary"):
        Form.parse(form, [part, b"--cu"])
    with pytest.raises(WarehouseServerError, match="cannot be read"):
        Form.parse(form, [b"hello"])


def test_a_form_is_read_alike_in_whatever_pieces_it_comes() -> None:
    rows = "1,表\r\n--cu\r\n--cutter\n".encode() + b"\xff\r"
    body = (
        b'--cut\r\nContent-Disposition: form-data; name="query"\r\n\r\nselect 1\r\n'
        b'--cut\r\ncontent-disposition: form-data; name=t; filename="a;b.csv"\r\n'
        b"Content-Type: text/csv\r\n\r\n" + rows + b"\r\n--cut--\r\n"
    )
    for cut in range(len(body)):
        form = Form.parse('Multipart/Form-Data; charset=utf-8; boundary="cut"', [body[:cut], body[cut:]])
        assert (form.fields, form.files) == ({"query": "select 1"}, {"t": rows}), cut


@pytest.mark.parametrize(
    "framing",
    [
        "Content-Length: -1",
        "Content-Length: ١",
        "Content-Length: 8\r\nContent-Length: 8",
        "Content-Length: 8\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
    ],
)
def test_a_body_whose_end_is_doubtful_is_refused(warehouse: WarehouseProcess, framing: str) -> None:
    assert raw(warehouse, post(framing)).split()[1] in (b"400", b"501")


@pytest.mark.parametrize("size", [b"-8", b"0x8", b"+8", b"1_0", b"", b"f" * 17])
def test_a_chunk_has_a_plain_size(warehouse: WarehouseProcess, size: bytes) -> None:
    body = b"%s\r\nselect 1\r\n0\r\n\r\n" % size
    assert b"Exception-Code: 33" in raw(warehouse, post("Transfer-Encoding: chunked", body))


def test_trailers_end() -> None:
    class Endless:
        def readline(self, most: int) -> bytes:
            return next(self.lines)

        lines = iter([b"0\r\n", *[b"X: y\r\n"] * 1000])

    with pytest.raises(WarehouseServerError, match="trailers"):
        list(Body(Endless(), headers("Transfer-Encoding: chunked")))


def headers(text: str) -> Any:
    from email.parser import Parser

    return Parser().parsestr(text)


@pytest.mark.parametrize(
    "head", ["X: " + "x" * 70_000, "\r\n".join(f"X-{n}: {'x' * 6000}" for n in range(90))]
)
def test_a_head_is_not_held_without_end(warehouse: WarehouseProcess, head: str) -> None:
    assert raw(warehouse, post(head + "\r\nContent-Length: 8")).split()[1:2] in ([b"431"], [])


def test_readers_asleep_keep_no_writer_out(warehouse: WarehouseProcess) -> None:
    asleep = "select count() from system.processes where query ilike 'select sleep(2)%'"
    seen = [0]
    with ThreadPoolExecutor(70) as pool:
        sleepers = [pool.submit(warehouse.ask, "select sleep(2)", "reader") for _ in range(70)]
        # The writer is answered all the while.
        while not all(sleeper.done() for sleeper in sleepers):
            seen.append(int(warehouse.sql(asleep)))
    assert 0 < max(seen) <= 50
    assert {sleeper.result().status for sleeper in sleepers} == {200}


def test_who_finds_no_place_is_told() -> None:
    places = Places(1, queue=1, seconds=0.01)
    with places.taken():
        for _ in range(3):
            with pytest.raises(WarehouseServerError, match="all 1 places") as full, places.taken():
                pass
            assert full.value.code == 202
    with places.taken():
        pass


def test_a_session_ends_by_the_clock_and_there_are_only_so_many(warehouse: WarehouseProcess) -> None:
    warehouse.sql(
        "create temporary table kept (s String) engine = Memory", session_id="s", session_timeout="1"
    )
    fill = "insert into kept select randomPrintableASCII(1000) from numbers(300000)"
    warehouse.sql(fill, session_id="s", session_timeout="1")
    # Nobody asks for a session again, and still it goes, and what it held.
    tracked = "select value from system.metrics where metric = 'MemoryTracking'"
    assert int(warehouse.sql(tracked)) > 290_000_000
    until(lambda: int(warehouse.sql(tracked)) < 200_000_000)
    opened = [warehouse.ask("select 1", session_id=f"s{n}", session_timeout="3600") for n in range(101)]
    assert [reply.code for reply in opened] == [""] * 100 + ["202"]
    for n in range(100):
        warehouse.ask("select 1", session_id=f"s{n}", close_session="1")
    assert warehouse.ask("select 1", session_id="s0", session_check="1").code == "372"


def test_who_only_holds_connections_makes_room(warehouse: WarehouseProcess) -> None:
    held = [socket.create_connection(("127.0.0.1", warehouse.port)) for _ in range(520)]
    for connection in held[::2]:
        with_part = b"POST / HTTP/1.1\r\nX: "
        try:
            connection.sendall(with_part)
        except OSError:
            continue
    assert warehouse.sql("select 1") == "1"
    for connection in held:
        connection.close()


def test_a_late_connection_is_cut_and_one_at_work_is_not() -> None:
    connections = Connections(most=2)
    pairs = [socket.socketpair() for _ in range(4)]
    (late, late_end), (busy, busy_end), (new, _), (more, _) = pairs
    assert connections.admit(late, 100)
    assert connections.admit(busy, 100)
    connections.works(busy)
    assert connections.admit(new, 0)
    assert late_end.recv(1) == b""
    connections.works(new)
    assert not connections.admit(more, 100)
    connections.dawdles(new, -1)
    connections.cut_late()
    assert connections.admit(more, 100)
    busy.sendall(b"!")
    assert busy_end.recv(1) == b"!"
    for pair in pairs:
        for end in pair:
            end.close()


@pytest.mark.parametrize(
    ("head", "served"),
    [
        ("", True),
        ("Origin: http://localhost", True),
        ("Origin: http://evil.example", False),
        ("Origin: null", False),
        ("Origin: http://localhost:8080", False),
        ("Sec-Fetch-Site: cross-site", False),
        ("Sec-Fetch-Site: same-site", False),
        ("Sec-Fetch-Site: none", True),
    ],
)
def test_a_page_of_another_site_is_refused(warehouse: WarehouseProcess, head: str, served: bool) -> None:
    answer = raw(warehouse, post("Content-Length: 8" + (f"\r\n{head}" if head else "")))
    assert answer.startswith(b"HTTP/1.1 200" if served else b"HTTP/1.1 403"), answer


@pytest.mark.parametrize(
    ("host", "served"),
    [
        ("127.0.0.1:18123", True),
        ("[::1]:18123", True),
        ("LocalHost:1", True),
        ("10.0.0.5", True),
        ("rebound.example:18123", False),
        ("localhost.evil.example", False),
        ("localhost@evil.example", False),
        ("[", False),
        ("", False),
    ],
)
def test_a_name_that_is_not_ours_is_refused(warehouse: WarehouseProcess, host: str, served: bool) -> None:
    answer = raw(warehouse, post("Content-Length: 8", host=host))
    assert answer.startswith(b"HTTP/1.1 200" if served else b"HTTP/1.1 403"), answer


def test_who_asks_for_it_is_hung_up_on_after_an_error_too(warehouse: WarehouseProcess) -> None:
    with socket.create_connection(("127.0.0.1", warehouse.port), timeout=60) as client:
        client.sendall(post("Content-Length: 6", b"select"))
        answer = b"".join(iter(lambda: client.recv(MIB), b""))
    assert answer.startswith(b"HTTP/1.1 4"), answer


@pytest.mark.parametrize(
    "how",
    [
        {"path": "/?user=%ff&password=%ff"},
        {"path": "/?user=tidemark&password=%ed%a0%80"},
        {"headers": {"Authorization": "Basic é"}},
        {"headers": {"Authorization": "Basic " + base64.b64encode(b"tidemark:\xff").decode()}},
        {"headers": {"X-ClickHouse-User": "tid\xe9mark", "X-ClickHouse-Key": "\xff"}},
    ],
)
def test_bytes_that_are_no_password_are_a_wrong_password(
    warehouse: WarehouseProcess, how: dict[str, Any]
) -> None:
    how.setdefault("headers", {"Authorization": ""})
    reply = warehouse.ask("select 1", **how)
    assert (reply.status, reply.code) == (403, "516"), reply


def test_bytes_that_are_no_text_come_back_in_the_error(warehouse: WarehouseProcess) -> None:
    reply = warehouse.ask("select 1", path="/?user=tidemark&password=tidemark&no_%ff=1")
    assert reply.code == "115"
    assert b"no_" in reply.body


def test_many_at_once_are_served(warehouse: WarehouseProcess) -> None:
    answers: list[Reply] = []
    clients = [threading.Thread(target=lambda: answers.append(warehouse.ask("select 1"))) for _ in range(80)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert {answer.status for answer in answers} == {200}
