"""Recorded traces become valid records that keep their tree, order and figures."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streaming.errors import SourceFileError
from streaming.messages import to_message
from streaming.records import validate
from streaming.replay import executions

_ROOT = Path(__file__).resolve().parents[2]
_DATA = Path(os.environ.get("TIDEMARK_SHARED_DATA", _ROOT.parent / "shared" / "data")) / "agent_traces"

needs_recordings = pytest.mark.skipif(
    not _DATA.is_dir(), reason=f"NO RECORDED TRACES at {_DATA}: set TIDEMARK_SHARED_DATA to replay real ones"
)


def _recordings() -> Iterator[Path]:
    yield from sorted(_DATA.glob("*/*.json"))


def _sent(path: Path) -> list[dict[str, Any]]:
    return [json.loads(to_message("execution", record)[0].value) for record in executions(path)]


@needs_recordings
@pytest.mark.parametrize("path", list(_recordings()), ids=lambda path: path.name)
def test_a_recording_gives_valid_records_in_one_tree_a_trace(path: Path) -> None:
    records = _sent(path)
    assert records
    assert [validate("execution", record) for record in records] == [None] * len(records)
    spans = {(r["trace_id"], r["span_id"]) for r in records}
    assert len(spans) == len(records), "a span was sent twice"
    if path.parent.name != "framework_traces":
        assert all(not r["parent_span_id"] or (r["trace_id"], r["parent_span_id"]) in spans for r in records)
    assert _sent(path) == records, "a second replay sends other records"


@needs_recordings
def test_tau_bench_counts_are_those_of_the_file() -> None:
    path = _DATA / "tau_bench" / "gpt-4o-airline.json"
    records, runs = _sent(path), json.loads(path.read_text())
    operations = [r["operation"] for r in records]
    assert operations.count("invoke_agent") == len(runs)
    assert operations.count("execute_tool") == sum(m["role"] == "tool" for run in runs for m in run["traj"])
    assert operations.count("chat") == sum(m["role"] == "assistant" for run in runs for m in run["traj"])
    assert all(r["tool"] for r in records if r["operation"] == "execute_tool")
    assert all(r["attributes"]["replay.synthetic_time"] == "true" for r in records)


@needs_recordings
def test_tau2_keeps_times_tokens_and_cost() -> None:
    for path in (_DATA / "tau2").glob("*.json"):
        records, data = _sent(path), json.loads(path.read_text())
        said = [m for run in data["simulations"] for m in run["messages"] if m["role"] == "assistant"]
        assert sum(r.get("cost_usd") or 0 for r in records) == pytest.approx(
            sum(m["cost"] or 0 for m in said)
        )
        assert all("replay.synthetic_time" not in r["attributes"] for r in records)


@pytest.mark.parametrize("content", ["", "{}", "[]", "[1]", '{"simulations": [{}]}', "not json"])
def test_a_file_that_is_no_recording_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(SourceFileError, match=r"x\.json"):
        list(executions(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceFileError, match=r"none\.json"):
        list(executions(tmp_path / "none.json"))
