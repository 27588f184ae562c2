"""What every room's settings class is: read from variables, and told by their names when a value is wrong."""

from __future__ import annotations

import re
from typing import Any

import pydantic_settings
from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from warehouse.errors import SettingsError


class RoomSettings(BaseSettings):
    """Read from `TIDEMARK_*`; a variable that is set to nothing is not set.

    Raises `SettingsError` for a value that a setting cannot have.
    """

    model_config = SettingsConfigDict(
        env_prefix="TIDEMARK_", env_ignore_empty=True, extra="ignore", frozen=True, protected_namespaces=()
    )

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:
            # What follows from a setting that is wrong has nothing to say of its own.
            wrong = [one for one in error.errors() if one["type"] != "default_factory_not_called"]
            raise SettingsError(" ".join(self._told(one) for one in wrong)) from None
        except pydantic_settings.SettingsError as error:
            name = re.findall(r'"(\w+)"', str(error))[0]
            raise SettingsError(
                f"{self._variable(name)} is not JSON ({error.__cause__}). Correct it, or unset it."
            ) from None

    @classmethod
    def _variable(cls, name: str) -> str:
        aliases = {field.validation_alias for field in cls.model_fields.values()}
        return name.upper() if name in aliases else f"{cls.model_config['env_prefix']}{name.upper()}"

    @classmethod
    def _told(cls, error: Any) -> str:
        if not error["loc"]:
            return str(error["ctx"]["error"])
        name, *within = map(str, error["loc"])
        place = "".join(f", {key}" for key in within)
        return f"{cls._variable(name)}{place} is {error['input']!r}: {error['msg']}. Correct it, or unset it."
