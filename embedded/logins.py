"""The stack's passwords and keys: made at the first start, readable by their owner alone."""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64encode
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class AirflowSecrets:
    """Airflow's one user and the keys that its processes share."""

    user: str
    password: str = field(repr=False)
    fernet_key: str = field(repr=False)
    api_secret: str = field(repr=False)
    jwt_secret: str = field(repr=False)

    @classmethod
    def kept_in(cls, folder: Path) -> AirflowSecrets:
        """Read the secrets kept in a folder; make them if there are none."""
        file = folder / "secrets.json"
        if file.exists():
            return cls(**json.loads(file.read_text("utf-8")))
        made = cls(
            user="admin",
            password=secrets.token_urlsafe(9),
            fernet_key=urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            api_secret=secrets.token_urlsafe(32),
            jwt_secret=secrets.token_urlsafe(48),
        )
        _write_private(folder / "passwords.json", {made.user: made.password})
        _write_private(file, asdict(made))
        return made


@dataclass(frozen=True)
class WarehouseSecrets:
    """The passwords of the warehouse's two users: the one that writes and the one that only reads."""

    password: str = field(repr=False)
    reader_password: str = field(repr=False)

    @classmethod
    def kept_in(cls, file: Path) -> WarehouseSecrets:
        """Read the passwords kept in a file; make them if there are none."""
        if file.exists():
            return cls(**json.loads(file.read_text("utf-8")))
        made = cls(password=secrets.token_urlsafe(18), reader_password=secrets.token_urlsafe(18))
        _write_private(file, asdict(made))
        return made


def _write_private(path: Path, content: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(content), "utf-8")
    fresh.replace(path)
