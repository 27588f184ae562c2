"""Stage two: a valid chart that fits the shape of the rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from langchain_core.tools import InjectedToolArg, tool
from pydantic import Field

from agents.analyst import charts, rendering
from agents.analyst.saying.table import Table
from agents.runtime.errors import ToolError
from agents.runtime.rules import Move
from agents.runtime.scoring import Score, weighted
from agents.runtime.stage import Stage
from agents.runtime.tools import REGISTRY, Result, ToolContext
from agents.runtime.work import ToolCall, Work, digest

# A Vega-Lite document: JSON whose schema is Vega's own.
Spec = dict[str, Any]

_PROMPT = """You draw one chart of a query result with Vega-Lite. propose_chart gives a spec that fits the
shape of the data; draw_chart validates and renders a spec. Use the result's column names as fields; the data
is bound for you under the name "result", so write no data into the spec. Time series are lines, categories
bars, a single number a card, comparisons grouped bars. When a tool reports an error, put the spec right."""


# Those that make a few rows for each of the result's at most: a renderer out of memory ends the process.
_TRANSFORMS = {
    "aggregate",
    "bin",
    "calculate",
    "filter",
    "fold",
    "joinaggregate",
    "stack",
    "timeUnit",
    "window",
}


class ChartWork(Work):
    """The result, what it is asked to show and what its figures are not (`notes`); then the spec that fits,
    and the one that was drawn with its picture and the columns that it shows.
    """

    question: str
    table: Table
    notes: tuple[str, ...] = ()
    proposed: Spec | None = None
    spec: Spec | None = None
    svg: str = ""
    fields: tuple[str, ...] = ()

    def reduce(self, call: ToolCall, result: Any) -> Self:
        match result:
            case Proposed():
                return self.having(proposed=result.spec)
            case Drawn():
                return self.having(spec=result.spec, svg=result.svg, fields=result.fields)
        return self


class Proposed(Result):
    spec: Spec


class Drawn(Result):
    spec: Spec
    svg: str
    fields: tuple[str, ...]

    def shown(self) -> dict[str, Any]:
        return {"drawn": True, "svg_bytes": len(self.svg)}


Context = Annotated[ToolContext[ChartWork, Any], InjectedToolArg]


@REGISTRY.register()
@tool
def propose_chart(context: Context) -> Proposed:
    """A spec that fits the shape of the result."""
    work = context.work
    return Proposed(spec=charts.choose(work.table, work.question, work.notes))


@REGISTRY.register()
@tool
def draw_chart(
    spec: Annotated[Spec, Field(description="a Vega-Lite spec without data")], context: Context
) -> Drawn:
    """Validate and render a Vega-Lite spec."""
    table = context.work.table
    names = [column.name for column in table.columns]
    bare = {key: value for key, value in spec.items() if key != "data"}
    unknown = sorted(_fields(bare) - set(names) - _computed(bare))
    if unknown:
        raise ToolError(f"the result has no column {', '.join(unknown)}; it has {', '.join(names)}")
    foreign = sorted(_foreign(bare))
    if foreign:
        raise ToolError(f"a chart shows the result and nothing else: leave out {', '.join(foreign)}")
    # The rows are ours and valid: to check each of thousands against the schema would take half a minute.
    rendering.validate({**bare, "data": {"name": "result"}})
    image = rendering.svg(charts.bind(bare, table))
    return Drawn(spec=bare, svg=image, fields=tuple(sorted(_fields(bare) & set(names))))


def score(work: ChartWork) -> Score:
    """Whether a chart was drawn that shows something of the result."""
    table = work.table
    return weighted(
        (
            (0.4, bool(work.spec), "no valid chart was drawn"),
            (0.3, "<svg" in work.svg, "the chart was not rendered"),
            (0.3, "<text" in work.svg and (len(table.rows) < 2 or table.empty or bool(work.fields)),
             "the chart shows none of the result's columns"),
        )
    )  # fmt: skip


def stage(question: str, table: Table, notes: Sequence[str] = ()) -> Stage[ChartWork]:
    """The chart stage for one result; `notes` are what its figures are not."""
    names = [column.name for column in table.columns]
    preview = {"question": question, "columns": names, "rows": [list(row) for row in table.rows[:20]]}
    return Stage(
        name="chart",
        goal=json.dumps(preview, ensure_ascii=False),
        work=ChartWork(question=question, table=table, notes=tuple(notes)),
        tools=("propose_chart", "draw_chart"),
        system_prompt=_PROMPT,
        threshold=0.9,
        max_iterations=4,
        scorer=score,
        policy=_move,
        history=500,
        identity=digest(question, names, table.rows, notes),
    )


def _move(work: ChartWork) -> Move:
    if work.proposed is None:
        return Move("Choose a chart by the shape of the data.", (("propose_chart", {}),))
    return Move("Draw it.", (("draw_chart", {"spec": work.proposed}),))


def _foreign(node: Any) -> set[str]:
    """What a spec has that makes rows of its own: other data, or a transform that is not listed."""
    if isinstance(node, list):
        return set().union(*(_foreign(value) for value in node))
    if not isinstance(node, Mapping):
        return set()
    found = {key for key in ("datasets", "impute") if key in node}
    found |= {"data"} if "data" in node and node.get("data") != {"name": "result"} else set()
    for step in node["transform"] if isinstance(node.get("transform"), list) else ():
        if isinstance(step, Mapping) and not _TRANSFORMS & step.keys():
            found.add(f"the transform {', '.join(map(str, step))}")
    return found.union(*(_foreign(value) for value in node.values()))


def _fields(node: Any) -> set[str]:
    """The field names that a spec refers to."""
    if isinstance(node, Mapping):
        own = {one for one in (node.get("field"), *(node.get("fold") or ())) if isinstance(one, str)}
        return own.union(*(_fields(value) for value in node.values()))
    if isinstance(node, list):
        return set().union(*(_fields(value) for value in node))
    return set()


def _computed(node: Any) -> set[str]:
    """The field names that a spec's transforms make."""
    if isinstance(node, Mapping):
        own = node.get("as", [])
        made = {own} if isinstance(own, str) else {name for name in own if isinstance(name, str)}
        return made.union(*(_computed(value) for value in node.values()))
    if isinstance(node, list):
        return set().union(*(_computed(value) for value in node))
    return set()
