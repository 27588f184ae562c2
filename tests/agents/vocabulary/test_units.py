"""Units of measure ask for what is measured in them, where its unit, label or description says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agents.analyst.vocabulary import Vocabulary
from agents.analyst.vocabulary.kinds import measured

TONNES, KILOS = ("tonne", "t", "吨"), ("kilo", "kg", "公斤")


@pytest.mark.parametrize(
    ("label", "description", "unit", "tonnes", "kilos"),
    [
        ("货量", "货量（吨）", "", True, False),
        ("单票重量中位数", "单位公斤", "", False, True),
        ("Weight (kg)", "", "", False, True),
        ("Weight in kg", "", "", False, True),
        ("Weight", "All that was carried", "", False, False),
        ("Weight", "", "t", True, False),
        ("运费", "每吨运费之和", "", False, False),
    ],
)
def test_a_metric_is_measured_in_a_unit(
    label: str, description: str, unit: str, tonnes: bool, kilos: bool, freight: Vocabulary
) -> None:
    metric = replace(
        freight.semantic.metrics["middle"],
        label=label,
        label_zh="",
        name="m",
        description=description,
        unit=unit,
    )
    assert (measured(metric, TONNES), measured(metric, KILOS)) == (tonnes, kilos)
