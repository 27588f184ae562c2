"""Hostile statements of a reader: refused or without harm, with the kernel's confinement and without it."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from warehouse_process import Reply, WarehouseProcess

FIXTURES = Path(__file__).parent / "fixtures"
OURS: list[dict[str, Any]] = yaml.safe_load((FIXTURES / "hostile.yaml").read_text("utf-8"))
GUARDS: list[dict[str, Any]] = yaml.safe_load(
    (FIXTURES.parents[1] / "warehouse" / "fixtures" / "hostile.yaml").read_text("utf-8")
)
SECRET, CONTENT = "an-api-key-of-somebody", "root:the-content-of-a-file-outside"
FILES = re.compile(r"/etc/(passwd|hosts|hostname)|/proc/(self|1)/environ")

# Refusals that a name alone brings about: the server is never the worse for a reader's reading of it.
SETTINGS = [
    {name: value}
    for name, values in {
        "readonly": ["0", "3", ""],
        "max_execution_time": ["0", "61", "-1", "1e-7", "0.5", "nan", "inf", "1 ", "１"],
        "max_result_rows": ["0", "1000001", "1e3"],
        "max_memory_usage": ["0", "1e99"],
        "max_parser_depth": ["0", "1001", "0.1"],
        "max_parser_backtracks": ["0"],
        "max_ast_depth": ["0"],
        "max_ast_elements": ["0", "1000000000"],
        "max_query_size": ["0", "1000000000"],
        "max_subquery_depth": ["0"],
        "max_threads": ["0", "1', readonly = '0"],
        "output_format_schema": ["OUTSIDE"],
        "format_schema": ["OUTSIDE:x"],
        "format_schema_source": ["query"],
        "format_template_resultset": ["OUTSIDE"],
        "format_template_row": ["OUTSIDE"],
        "format_template_resultset_format": ["x"],
        "format_custom_result_before_delimiter": ["x"],
        "additional_result_filter": ["file('OUTSIDE') = ''"],
        "additional_table_filters": ["{'ods.held':'file(1)'}"],
        "parallel_replicas_custom_key": ["file('OUTSIDE')"],
        "dialect": ["kusto", "clickhouse_json"],
        "implicit_select": ["1"],
        "enable_json_ast_dialect": ["1"],
        "allow_introspection_functions": ["1"],
        "enable_analyzer": ["0"],
        "allow_experimental_analyzer": ["0"],
        "user_files_path": ["/"],
        "profile": ["default"],
        "unknown_to_everybody": ["1"],
        "max_threads = 1, readonly": ["0"],
    }.items()
    for value in values
]


@dataclass
class Target:
    """A server with something to lose: a file beside its folder, a secret of its environment, a table."""

    server: WarehouseProcess
    outside: Path
    part: Path

    @classmethod
    def start(cls, folder: Path, confined: bool) -> Target:
        outside = folder / "outside.txt"
        outside.write_text(CONTENT)
        secrets = {"TIDEMARK_WAREHOUSE_PASSWORD": "tidemark", "SOMEBODYS_API_KEY": SECRET}
        server = WarehouseProcess.start(folder / "data", confined, **secrets)
        server.sql("create table ods.held (a Int8, b String) engine = MergeTree order by a")
        server.sql("insert into ods.held values (1, 'one')")
        server.sql("create table ods.raw (a Int8) engine = Memory")
        part = server.sql(
            "select path from system.parts where database = 'ods' and table = 'held' and active"
        )
        return cls(server, outside, next(Path(part).glob("*.bin"), Path(part) / "data.bin"))

    def ask(self, sql: str, **settings: str) -> Reply:
        def named(text: str) -> str:
            return FILES.sub(str(self.outside), text).replace("OUTSIDE", str(self.outside)).replace(
                "A_FILE", str(self.part)
            )  # fmt: skip

        values = {name: named(value) for name, value in settings.items()}
        reply = self.server.ask(named(sql), user="reader", **values)
        body = reply.body.replace(named(sql).encode("utf-8", "surrogatepass"), b"")
        assert CONTENT.encode() not in body, sql
        assert SECRET.encode() not in body, sql
        return reply

    def state(self) -> tuple[object, ...]:
        """Everything that no reader may change."""
        folders = {path.name for path in (self.outside.parent, Path.cwd()) for path in path.iterdir()}
        return (
            self.outside.read_text(),
            sha256(self.part.read_bytes()).hexdigest(),
            self.server.sql("select a, b, count() over () from ods.held"),
            self.server.sql("select database, name, engine from system.tables order by all"),
            frozenset(folders - {".pytest_cache", ".hypothesis"}),
            self.server.process.poll(),
        )


@pytest.fixture(scope="module", params=["confined", "not confined"])
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    target = Target.start(tmp_path_factory.mktemp("target"), request.param == "confined")
    yield target
    said = target.server.stop()
    assert ("NOT CONFINED" in said) == (request.param != "confined")
    assert said.endswith("stopped, 0 requests cut off\n")


def test_what_only_a_reader_s_server_must_refuse_is_refused(target: Target) -> None:
    before = target.state()
    wrong = []
    for group in OURS:
        for sql in group["sql"]:
            reply = target.ask(sql, param_t="system.processes", param_d="system")
            if reply.code != str(group["code"]):
                wrong.append((group["code"], sql, reply.code, reply.text[:200]))
    assert not wrong
    assert target.state() == before


def test_what_the_guard_refuses_is_refused_here_or_does_no_harm(target: Target) -> None:
    before = target.state()
    answered = [
        sql
        for group in GUARDS
        if group["server"] == "refused"
        for sql in group["sql"]
        if target.ask(sql, **SHORT).status == 200
    ]
    assert target.state() == before
    # These compute: what the reader may not call is not among them.
    assert not [sql for sql in answered if re.search(r"(?i)\bfile|url|into|insert|drop|system\.", sql)]


def test_settings_on_no_list_or_beyond_their_bounds_are_refused(target: Target) -> None:
    before = target.state()
    wrong = [settings for settings in SETTINGS if target.ask("select 1", **settings).code != "452"]
    assert not wrong
    assert target.state() == before


def test_a_running_server_has_no_secret_in_its_environment(target: Target) -> None:
    process = Path(f"/proc/{target.server.process.pid}")
    environment = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
    assert b"TZ=UTC" in environment
    assert b"PASSWORD" not in environment
    assert SECRET.encode() not in environment
    assert target.server.ask("select 1", user="nobody").status == 403


@pytest.mark.parametrize("user", ["reader", "tidemark"])
def test_no_statement_ends_the_process(warehouse: WarehouseProcess, user: str) -> None:
    deep = [
        "+".join(["1"] * 300_000),
        "(" * 120_000 + "1" + ")" * 120_000,
        ",".join(f"$a{number}$" for number in range(30_000)),
    ]
    for sql in deep:
        assert warehouse.ask(f"select {sql}", user=user).code in ("62", "167", "306")
    assert warehouse.ask(f"select {deep[0]}", user=user, max_parser_depth="0").code == "452"
    assert warehouse.process.poll() is None


def test_mutations_of_hostile_statements_do_no_harm(target: Target) -> None:
    before = target.state()
    statements = [sql for group in OURS + GUARDS for sql in group["sql"]]
    chance = random.Random(20261121)
    for _ in range(MUTATIONS):
        target.ask(mutated(chance.choice(statements), chance), **SHORT)
    assert target.state() == before


MUTATIONS = 200
SHORT = {"max_execution_time": "1", "max_result_rows": "1000"}
BLANKS = ["\u00a0", "\u3000", "\ufeff", "\u2028", "\t", "\n", "/**/", "/* /* */ */", "--\n", "# \n", "\x0b"]
QUOTES = [("‘", "’"), ("'", "'"), ("“", "”"), ('"', '"'), ("`", "`"), ("$$", "$$"), ("$a$", "$a$")]


def mutated(sql: str, chance: random.Random) -> str:
    """The same statement, or nearly, as another lexer would not expect it."""

    def blank(found: re.Match[str]) -> str:
        return chance.choice(BLANKS) if chance.random() < 0.3 else found[0]

    def quoted(found: re.Match[str]) -> str:
        left, right = chance.choice(QUOTES)
        return f"{left}{found[1]}{right}" if chance.random() < 0.4 else found[0]

    def word(found: re.Match[str]) -> str:
        text = found[0]
        how = chance.random()
        if how < 0.1:
            return "".join(chance.choice((str.upper, str.lower))(letter) for letter in text)
        if how < 0.15:
            left, right = chance.choice(QUOTES)
            return f"{left}{text}{right}"
        if how < 0.18:
            return "`" + "".join(f"\\x{ord(letter):02x}" for letter in text if ord(letter) < 256) + "`"
        return text

    sql = re.sub(r"'([^'\\]*)'", quoted, sql)
    sql = re.sub(r"(?<![\w\\$])[A-Za-z_]\w*", word, sql)
    sql = re.sub(r" ", blank, sql)
    for _ in range(chance.randrange(3)):
        at = chance.randrange(len(sql) + 1)
        piece = chance.choice(
            [*BLANKS, "'", "’", "$$", ";", "(", ")", "\\", "\0", "a$$", " FORMAT CSV", "\ud83d"]
        )
        sql = sql[:at] + piece + sql[at + chance.randrange(2) :]
    around = chance.random()
    if around < 0.1:
        depth = chance.randrange(1, 5)
        return f"SELECT * FROM {'(' * depth}{sql}{')' * depth}"
    if around < 0.2:
        return f"EXPLAIN {sql}" if around < 0.15 else f"DESCRIBE TABLE ({sql})"
    return sql
