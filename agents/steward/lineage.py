"""Which loaded tables a failed check rests on, and what is known of them, from dbt's manifest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from agents.runtime.errors import PermanentError
from agents.steward.case import FailedCheck, Reference, Source
from agents.steward.queries import DAY


class Lineage:
    """dbt's graph as the steward needs it. Sources say of themselves, in their YAML, what their key is
    (`config.meta.key`), whether some rows come twice as a rule (`config.meta.repeats`), when they happened
    (`config.event_time`) and what their columns refer to (`config.meta.references: table.column`).
    """

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self._manifest = manifest
        self._relations = {_relation(node): id_ for id_, node in manifest["sources"].items()}
        self._relations |= {
            _relation(node): id_
            for id_, node in manifest["nodes"].items()
            if node["resource_type"] == "model"
        }
        self.sources: dict[str, Source] = {
            _relation(node): _source(node) for node in manifest["sources"].values() if _is_loaded(node)
        }

    @classmethod
    def load(cls, path: Path) -> Lineage:
        """Raises `PermanentError` when dbt has not written its manifest."""
        try:
            return cls(json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, KeyError) as error:
            raise PermanentError(
                f"The lineage cannot be read from {path} ({error}). Write it with `dbt parse`."
            ) from error

    def upstream(self, tables: Iterable[str]) -> tuple[str, ...]:
        """The loaded tables behind these tables, and those that their rows refer to; all of them when nothing
        is known of the tables.
        """
        found: set[str] = set()
        todo = [self._relations[table] for table in tables if table in self._relations]
        seen: set[str] = set()
        while todo:
            node = todo.pop()
            if node in seen:
                continue
            seen.add(node)
            if node in self._manifest["sources"]:
                found.add(_relation(self._manifest["sources"][node]))
            todo += self._manifest["parent_map"].get(node, ())
        found &= set(self.sources)
        referred = {r.table for name in found for r in self.sources[name].references}
        return tuple(name for name in self.sources if name in found | referred or not found)

    def test(self, name: str, sql: str, observed: str) -> FailedCheck:
        """A failed node of dbt as a check: a test's rows are what its own SQL selects."""
        for node in self._manifest["nodes"].values():
            if node["name"] != name:
                continue
            if node["resource_type"] != "test":
                return FailedCheck(name=name, table=_relation(node), observed=observed)
            on = node.get("attached_node") or next(iter(node["depends_on"]["nodes"]), "")
            table = self._manifest["nodes"].get(on) or self._manifest["sources"].get(on)
            columns = (node["column_name"],) if node.get("column_name") else ()
            return FailedCheck(
                name=name, table=_relation(table) if table else "", columns=columns, rows_sql=sql,
                observed=observed,
            )  # fmt: skip
        return FailedCheck(name=name, observed=observed)


def _relation(node: Mapping[str, Any]) -> str:
    return f"{node['schema']}.{node.get('identifier') or node.get('alias') or node['name']}"


def _is_loaded(node: Mapping[str, Any]) -> bool:
    return DAY in node["columns"] and "key" in node["config"]["meta"]


def _source(node: Mapping[str, Any]) -> Source:
    references = []
    for name, column in node["columns"].items():
        target = (column.get("config") or {}).get("meta", {}).get("references")
        if target:
            table, key = target.rsplit(".", 1)
            references.append(Reference(column=name, table=f"{node['schema']}.{table}", key=key))
    return Source(
        name=_relation(node),
        key=node["config"]["meta"]["key"],
        repeats=node["config"]["meta"].get("repeats", False),
        event_time=node["config"].get("event_time") or "",
        references=tuple(references),
        columns={name: _kind(column["data_type"]) for name, column in node["columns"].items()},
    )


def _kind(type_: str) -> Literal["number", "text", "time", "date"]:
    name = type_.removeprefix("Nullable(").lower()
    if name.startswith(("datetime", "timestamp")):
        return "time"
    if name.startswith("date"):
        return "date"
    return "number" if name.startswith(("int", "uint", "float", "decimal", "numeric")) else "text"
