"""Units as data: how a figure of each is rounded, written and drawn; see `units.yml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

_FILE = Path(__file__).with_name("units.yml")


class NumberFormat(BaseModel):
    """How amounts from `at_least` on are written, and how many decimals of a computed one are kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at_least: float = Field(default=0.0, alias="from")
    format: str = ",.2f"
    digits: int = 6


class Unit(BaseModel):
    """One unit; the defaults are what is known of a figure without one. The file says what each field is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    before: str = ""
    after: str = ""
    scale: float = Field(default=1.0, gt=0)
    numbers: tuple[NumberFormat, ...] = (NumberFormat(),)
    whole: str = ""
    axis: str = ",.2~f"
    axis_label: str = ""
    changes_by: str = ""

    def rounded(self, value: float) -> float | int:
        """Sums of floats come as 48937.93999999997: as many decimals as the unit has, and a whole number of
        what is counted."""
        if self.whole and value.is_integer():
            return int(value)
        return round(value, self._number(value).digits)

    def text(self, value: float) -> str:
        """A figure as people read it."""
        sign = "-" if value < 0 else ""
        amount = abs(value)
        if self.whole and float(amount).is_integer():
            return f"{sign}{self.before}{int(amount):{self.whole}}{self.after}"
        return f"{sign}{self.before}{amount * self.scale:{self._number(amount).format}}{self.after}"

    def _number(self, value: float) -> NumberFormat:
        reached = (number for number in self.numbers if abs(value) >= number.at_least)
        return self.numbers[0] if value == 0 else next(reached, self.numbers[-1])


# Of a figure whose unit is not known, a whole number is one all the same.
NO_UNIT = Unit(whole=",")


@cache
def units() -> dict[str, Unit]:
    """Every unit by its name in a metric's `config.meta.unit`."""
    return TypeAdapter(dict[str, Unit]).validate_python(yaml.safe_load(_FILE.read_text("utf-8")))


def unit(name: str) -> Unit:
    """A unit by name; a figure of any other is written as a plain number."""
    return units().get(name, NO_UNIT)
