"""The project's saved queries: questions that somebody has named already."""

from __future__ import annotations

import re
from dataclasses import dataclass

from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest

# TimeDimension('metric_time', 'week'), Dimension('site__site_name'), Entity('customer')
_CALL = re.compile(r"(Dimension|TimeDimension|Entity)\(([^()]*)\)(?:\.grain\('(\w+)'\))?")
_TEXT = re.compile(r"'([^']*)'|\"([^\"]*)\"")


@dataclass(frozen=True)
class SavedQuery:
    """A question by name. `group_by` holds what a `MetricQuery` holds; `is_filtered` that it has conditions,
    which are templates and not kept here.
    """

    name: str
    label: str
    description: str
    metrics: tuple[str, ...]
    group_by: tuple[str, ...]
    limit: int | None = None
    is_filtered: bool = False


def read_saved_queries(manifest: PydanticSemanticManifest) -> dict[str, SavedQuery]:
    """Those that ask for metrics, by name."""
    return {
        one.name: SavedQuery(
            name=one.name,
            label=one.label or one.name.replace("_", " ").capitalize(),
            description=one.description or "",
            metrics=tuple(one.query_params.metrics),
            group_by=tuple(map(_item, one.query_params.group_by)),
            limit=one.query_params.limit,
            is_filtered=one.query_params.where is not None,
        )
        for one in manifest.saved_queries
        if one.query_params.metrics
    }


def _item(written: str) -> str:
    call = _CALL.fullmatch(written.strip())
    if call is None:
        return written
    name, *grain = ("".join(found) for found in _TEXT.findall(call[2]))
    grains = [call[3]] if call[3] else grain[:1]
    return "__".join([name, *grains])
