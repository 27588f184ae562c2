"""What tables there are and what they mean, read from dbt's manifest: the models' YAML is the one source."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from warehouse.client import Warehouse
from warehouse.errors import CatalogueError

_ASCII_WORD = re.compile(r"[a-z0-9]+")
_HAN = re.compile(r"[\u4e00-\u9fff]+")
_GRAIN = re.compile(r"^(one row per .+?)(?:\.|$)", re.IGNORECASE)
_STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "by",
        "for",
        "from",
        "in",
        "is",
        "of",
        "on",
        "one",
        "or",
        "per",
        "row",
        "the",
        "to",
        "what",
        "which",
        "with",
    ]
)


@dataclass(frozen=True)
class TableColumn:
    """A column with its meaning. `type` is the server's, empty until the table is built."""

    name: str
    type: str
    description: str


@dataclass(frozen=True)
class Table:
    """A dbt model, source, seed or snapshot. `grain` says what one row is; `name` is unqualified.

    `readable` tells whether questions may read it, or whether it is only known of. `catalog` is what the
    database is in, where the engine has such a thing: BigQuery's project.
    """

    database: str
    name: str
    domain: str
    description: str
    grain: str
    columns: tuple[TableColumn, ...]
    readable: bool = True
    catalog: str = ""

    @property
    def qualified_name(self) -> str:
        return f"{self.database}.{self.name}"


class Catalogue:
    """The tables by qualified name (`dwd.dwd_orders`)."""

    def __init__(self, tables: Iterable[Table], words: Mapping[str, Iterable[str]] | None = None) -> None:
        self.tables: Mapping[str, Table] = {table.qualified_name: table for table in tables}
        self._words = {
            name: _table_words(table, (words or {}).get(name, ())) for name, table in self.tables.items()
        }

    @classmethod
    def load(
        cls,
        manifest_path: Path,
        warehouse: Warehouse | None = None,
        words: Mapping[str, Iterable[str]] | None = None,
        schemas: Collection[str] = (),
    ) -> Catalogue:
        """Read dbt's manifest.json; with a warehouse, add the live column types. Raises `CatalogueError`.

        Readable are the `schemas`, or without any those of the models behind the semantic models; and the
        time spines. A table's own `config.meta.readable` goes before that.
        Live columns that the YAML does not name are added too, without a description. `words` are more
        texts to find a table by, by qualified name, such as `SemanticLayer.table_words` gives.
        """
        try:
            manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
            nodes = [*manifest["nodes"].values(), *manifest["sources"].values()]
            readable = schemas or {
                one["node_relation"]["schema_name"] for one in manifest["semantic_models"].values()
            }
            tables = [_table(node, readable) for node in nodes if _is_table(node)]
        except (OSError, ValueError, KeyError) as error:
            raise CatalogueError(
                f"The catalogue cannot be read from {manifest_path} ({error}). Write it with `dbt parse`."
            ) from error
        return cls(_with_live_columns(tables, warehouse) if warehouse else tables, words)

    def search(self, text: str, k: int = 5) -> list[Table]:
        """The `k` readable tables nearest to a question, best first; empty when no word of it is known.

        Words are weighed by rarity; a table's name and grain count more than its columns' descriptions.
        """
        wanted = set(_words(text))
        frequency = Counter(word for words in self._words.values() for word in words)
        scores = {
            name: sum(
                words[word] * math.log(1 + len(self._words) / frequency[word])
                for word in wanted
                if word in words
            )
            for name, words in self._words.items()
            if self.tables[name].readable
        }
        best = sorted((name for name in scores if scores[name] > 0), key=lambda name: (-scores[name], name))
        return [self.tables[name] for name in best[:k]]

    def as_prompt(self, tables: Iterable[Table]) -> str:
        """The tables as compact text for a language model: a line a table, then a line a column."""
        blocks = []
        for table in tables:
            lines = [f"{table.qualified_name}: {table.description or table.grain}"]
            lines += [
                f"  {column.name} {column.type}{f' -- {column.description}' if column.description else ''}"
                for column in table.columns
            ]
            blocks.append("\n".join(lines))
        return "\n\n".join(blocks)


def _is_table(node: Mapping[str, Any]) -> bool:
    kinds = ("model", "source", "seed", "snapshot")
    return node["resource_type"] in kinds and node["config"].get("materialized") != "ephemeral"


def _table(node: Mapping[str, Any], readable_schemas: Collection[str]) -> Table:
    description = " ".join(node["description"].split())
    meta = {**node.get("meta", {}), **node["config"].get("meta", {})}
    stated = _GRAIN.match(description)
    name = node["identifier"] if node["resource_type"] == "source" else node["alias"]
    return Table(
        database=node["schema"],
        name=name,
        domain=domain_of(node),
        description=description,
        grain=meta.get("grain") or (stated[1] if stated else ""),
        columns=tuple(
            TableColumn(
                column["name"], column.get("data_type") or "", " ".join(column["description"].split())
            )
            for column in node["columns"].values()
        ),
        readable=bool(
            meta.get("readable", node["schema"] in readable_schemas or node.get("time_spine") is not None)
        ),
        catalog=node.get("database") or "",
    )


def domain_of(node: Mapping[str, Any]) -> str:
    """What a node of dbt's manifest is about, in the project's own words: `config.meta.domain`, its group,
    its first tag, or the last folder that it lies in.
    """
    config = node.get("config") or {}
    meta = {**(node.get("meta") or {}), **(config.get("meta") or {})}
    folders = node.get("fqn", ())[1:-1]
    said = (
        meta.get("domain"),
        node.get("group"),
        config.get("group"),
        *(node.get("tags") or ()),
        *folders[-1:],
    )
    return next((str(one) for one in said if one), "")


def _with_live_columns(tables: Iterable[Table], warehouse: Warehouse) -> list[Table]:
    live = {
        table.qualified_name: {column.name: column.type for column in table.columns}
        for table in warehouse.tables()
    }
    described = []
    for one in tables:
        types = live.get(one.qualified_name, {})
        known = {
            column.name: replace(column, type=types.get(column.name, column.type)) for column in one.columns
        }
        added = [TableColumn(name, kind, "") for name, kind in types.items() if name not in known]
        described.append(replace(one, columns=(*known.values(), *added)))
    return described


def _table_words(table: Table, more: Iterable[str]) -> Mapping[str, float]:
    weights: dict[str, float] = {}
    texts = [(table.name, 4.0), (table.grain, 3.0), (table.description, 2.0)]
    texts += [(text, 3.0) for text in more]
    texts += [(column.name, 2.0) for column in table.columns]
    texts += [(column.description, 1.0) for column in table.columns]
    for text, weight in texts:
        for word in _words(text):
            weights[word] = max(weight, weights.get(word, 0.0))
    return weights


def _words(text: str) -> list[str]:
    """English words without a plural's s, and the overlapping pairs of Chinese characters."""
    words = [
        word.removesuffix("s") if len(word) > 3 else word
        for word in _ASCII_WORD.findall(text.lower())
        if word not in _STOP_WORDS
    ]
    for run in _HAN.findall(text):
        words += [run[start : start + 2] for start in range(max(1, len(run) - 1))]
    return words
