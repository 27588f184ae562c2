"""Airflow's login and keys: made at the first start, readable by their owner alone."""

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
        folder.mkdir(parents=True, exist_ok=True)
        _write_private(folder / "passwords.json", {made.user: made.password})
        _write_private(file, asdict(made))
        return made


def _write_private(path: Path, content: dict[str, str]) -> None:
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(content), "utf-8")
    fresh.replace(path)
