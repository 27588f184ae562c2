"""`tidemark check`: what would go wrong, or be answered poorly, with a project's metrics."""

from __future__ import annotations

from dataclasses import dataclass

from warehouse.client import Warehouse
from warehouse.semantic.findings import Finding, collisions, missing_units, shadows, table_of, unreachable
from warehouse.semantic.layer import SemanticLayer
from warehouse.semantic.trials import bad_keys, null_times, tries


@dataclass(frozen=True)
class Checked:
    """Errors first. `pairs` of `of_pairs` metrics by dimensions were tried, in `statements` statements."""

    findings: tuple[Finding, ...]
    metrics: int
    pairs: int
    of_pairs: int
    statements: int

    @property
    def errors(self) -> int:
        return sum(one.level == "error" for one in self.findings)

    @property
    def warnings(self) -> int:
        return len(self.findings) - self.errors


def check(layer: SemanticLayer, warehouse: Warehouse, limit: int) -> Checked:
    """Look at the definitions and ask the warehouse, as the reader. `limit`: see `tries`.

    Raises `TransientError` for a warehouse that is away.
    """
    tables = {table_of(model) for model in layer.manifest.semantic_models}
    live = warehouse.tables(tables)
    columns = {one.qualified_name: {column.name for column in one.columns} for one in live}
    missing = [
        Finding(
            "error",
            "no table",
            name,
            "It is not there, or the reader may not see it: what is of it was not tried. Run `dbt build`.",
        )
        for name in sorted(tables - set(columns))
    ]
    dimensions = layer.dimensions.values()
    found = [
        *missing,
        *(
            Finding("error", "overlay", one, "tidemark.yml names it, and the project does not have it.")
            for one in layer.unknown_words
        ),
        *bad_keys(layer, warehouse, columns.keys()),
        *null_times(layer, warehouse, columns.keys()),
        *shadows(layer.manifest, columns, warehouse.dialect.name),
        *unreachable(layer.manifest, dimensions),
        *collisions(layer.metrics.values(), dimensions),
        *missing_units(layer.metrics.values()),
    ]
    tried = tries(layer, warehouse, columns.keys(), limit)
    return Checked(
        tuple(sorted((*tried.findings, *found), key=lambda one: one.level)),
        len(layer.metrics),
        tried.pairs,
        tried.of_pairs,
        tried.statements,
    )
