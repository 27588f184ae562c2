"""Where the one-machine stack keeps its state and listens, and what it therefore tells its clients."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from embedded.logins import AirflowSecrets, WarehouseSecrets
from warehouse.variables import RoomSettings

PortNumber = Annotated[int, Field(ge=1, le=65535)]

PROJECT = Path(__file__).resolve().parents[1]
LOOPBACK = "127.0.0.1"
# sun_path holds 108 bytes on Linux and 104 on macOS; supervisor binds "<path>.<pid>" first.
LONGEST_SOCKET_PATH = 104 - len(".4194304") - 1


class EmbeddedSettings(RoomSettings):
    """The stack's home and ports; every address that a client needs follows from them."""

    home: Path = Path(".tidemark")
    kafka_port: PortNumber = 19092
    kafka_controller_port: PortNumber = 19093
    warehouse_port: PortNumber = 18123
    airflow_port: PortNumber = 18080
    flink_port: PortNumber = 18082
    dbt_project_dir: Path = PROJECT / "dbt"
    dbt_target_dir: Path = Field(default_factory=lambda before: before["home"] / "dbt")
    # dbt's own variable, for profiles that do not lie in the project.
    dbt_profiles_dir: Path | None = Field(default=None, validation_alias="dbt_profiles_dir")
    # Of the embedded warehouse's two users; what is not set is made at the first start and kept.
    warehouse_password: SecretStr | None = None
    warehouse_reader_password: SecretStr | None = None

    @field_validator("home", "dbt_project_dir", "dbt_target_dir", "dbt_profiles_dir")
    @classmethod
    def _absolute(cls, folder: Path | None) -> Path | None:
        # The services' working directory is not the caller's.
        return folder.expanduser().absolute() if folder else None

    @model_validator(mode="after")
    def _each_its_own_port(self) -> Self:
        ports = {name: port for name, port in self if name.endswith("_port")}
        for (one, port), (other, same) in combinations(ports.items(), 2):
            if port == same:
                raise ValueError(
                    f"TIDEMARK_{one.upper()} and TIDEMARK_{other.upper()} are both {port}: "
                    "set one of them to another port"
                )
        return self

    @property
    def run_dir(self) -> Path:
        return self.home / "run"

    @property
    def log_dir(self) -> Path:
        return self.home / "logs"

    @property
    def jars_dir(self) -> Path:
        return self.home / "jars"

    @property
    def airflow_home(self) -> Path:
        return self.home / "airflow"

    @property
    def kafka_bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.kafka_port}"

    @property
    def warehouse_url(self) -> str:
        return f"http://{LOOPBACK}:{self.warehouse_port}"

    @property
    def airflow_url(self) -> str:
        return f"http://{LOOPBACK}:{self.airflow_port}"

    @property
    def flink_url(self) -> str:
        return f"http://{LOOPBACK}:{self.flink_port}"

    @property
    def socket(self) -> Path:
        """The supervisor's control socket: in `run/`, or in the temporary folder if its path got too long."""
        socket = self.run_dir / "supervisor.sock"
        if len(os.fsencode(socket)) <= LONGEST_SOCKET_PATH:
            return socket
        return (
            Path(tempfile.gettempdir()) / f"tidemark-{sha256(os.fsencode(self.home)).hexdigest()[:12]}.sock"
        )

    def client_environment(self) -> dict[str, str]:
        """The variables that lead any client to this stack; writes nothing.

        The warehouse's passwords are among them once the stack has been started.
        """
        logins = self.warehouse_environment() if self._warehouse_secrets_file.exists() else {}
        profiles = {"DBT_PROFILES_DIR": str(self.dbt_profiles_dir)} if self.dbt_profiles_dir else {}
        return {
            **logins,
            **profiles,
            "TIDEMARK_HOME": str(self.home),
            "TIDEMARK_STATE_DIR": str(self.home),
            "TIDEMARK_KAFKA_PORT": str(self.kafka_port),
            "TIDEMARK_KAFKA_CONTROLLER_PORT": str(self.kafka_controller_port),
            "TIDEMARK_WAREHOUSE_PORT": str(self.warehouse_port),
            "TIDEMARK_AIRFLOW_PORT": str(self.airflow_port),
            "TIDEMARK_FLINK_PORT": str(self.flink_port),
            "TIDEMARK_KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "TIDEMARK_WAREHOUSE_URL": self.warehouse_url,
            "TIDEMARK_DBT_PROJECT_DIR": str(self.dbt_project_dir),
            "TIDEMARK_DBT_TARGET_DIR": str(self.dbt_target_dir),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "False",
            "GX_ANALYTICS_ENABLED": "False",
        }

    def warehouse_environment(self) -> dict[str, str]:
        """The passwords of the warehouse's users; makes those that are neither set nor kept."""
        kept = WarehouseSecrets.kept_in(self._warehouse_secrets_file)
        return {
            "TIDEMARK_WAREHOUSE_PASSWORD": _or(self.warehouse_password, kept.password),
            "TIDEMARK_WAREHOUSE_READER_PASSWORD": _or(self.warehouse_reader_password, kept.reader_password),
        }

    def airflow_environment(self) -> dict[str, str]:
        """What Airflow's processes and command line need besides; makes its keys if there are none."""
        keys = self.airflow_secrets
        home = self.airflow_home
        return {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            # LocalExecutor whose tasks find what they import already imported: they are forks of it.
            "AIRFLOW__CORE__EXECUTOR": "tidemark_airflow.executor.WarmLocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "2",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.airflow_url}/execution/",
            # The default asks the name service for this machine's full name, which can take seconds.
            "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
            "AIRFLOW__CORE__FERNET_KEY": keys.fernet_key,
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{keys.user}:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
            "AIRFLOW__API__HOST": LOOPBACK,
            "AIRFLOW__API__PORT": str(self.airflow_port),
            "AIRFLOW__API__BASE_URL": self.airflow_url,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__SECRET_KEY": keys.api_secret,
            "AIRFLOW__API_AUTH__JWT_SECRET": keys.jwt_secret,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
            "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "2",
            # A changed file is parsed at the next refresh; this is only for those that did not change.
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "120",
            "AIRFLOW__DAG_PROCESSOR__STALE_DAG_THRESHOLD": "300",
            # Half of a short task's time is the wait for the scheduler's next look.
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.25",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.log_dir / "airflow"),
            "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(
                self.log_dir / "airflow" / "dag_processor"
            ),
            "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "TIDEMARK_COMMERCE_START": self._first_day(),
        }

    def _first_day(self) -> str:
        """The day before the first start, kept: a DAG's start date may not move, and a schedule that began
        long ago would first catch up on every day since."""
        file = self.airflow_home / "first_day"
        if not file.exists():
            file.write_text((datetime.now(UTC).date() - timedelta(days=1)).isoformat(), "utf-8")
        return file.read_text("utf-8")

    @property
    def _warehouse_secrets_file(self) -> Path:
        # Not in the warehouse's own folder, which its SQL can read.
        return self.home / "secrets" / "warehouse.json"

    @cached_property
    def airflow_secrets(self) -> AirflowSecrets:
        """Airflow's login and keys: made once, then read from the state folder."""
        return AirflowSecrets.kept_in(self.airflow_home)


def _or(asked: SecretStr | None, kept: str) -> str:
    return asked.get_secret_value() if asked else kept
