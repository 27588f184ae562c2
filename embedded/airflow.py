"""A small client of Airflow's REST API: trigger, watch, read logs and results."""

from __future__ import annotations

import time
from typing import Any

import httpx

from embedded.errors import AirflowApiError
from embedded.settings import EmbeddedSettings


class AirflowApi:
    """Airflow under one address, as one user. Every method raises AirflowApiError with one clear line.

    Runs and task instances are returned as Airflow's own JSON objects (`state`, `start_date`, ...).
    """

    def __init__(self, base_url: str, user: str, password: str) -> None:
        self._login = {"username": user, "password": password}
        # Airflow is on this machine or in this network: no proxy of the environment is meant for it.
        self._http = httpx.Client(base_url=base_url, timeout=90.0, trust_env=False)

    @classmethod
    def of(cls, settings: EmbeddedSettings) -> AirflowApi:
        """The embedded stack's Airflow."""
        secrets = settings.airflow_secrets
        return cls(settings.airflow_url, secrets.user, secrets.password)

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None) -> str:
        """Start a run now; returns its id. `conf` is checked against the DAG's params."""
        run = self._json("POST", f"/dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": conf or {}})
        return str(run["dag_run_id"])

    def dag_run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """One run; `state` is queued, running, success or failed."""
        return self._json("GET", f"/dags/{dag_id}/dagRuns/{run_id}")

    def dag_runs(self, dag_id: str, limit: int = 25) -> list[dict[str, Any]]:
        """The newest runs, newest first."""
        query = {"limit": limit, "order_by": "-run_after"}
        return list(self._json("GET", f"/dags/{dag_id}/dagRuns", params=query)["dag_runs"])

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The run's task instances in the order they started; those that have not come last."""
        found = self._json("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances", params={"limit": 100})
        return sorted(found["task_instances"], key=lambda task: task["start_date"] or "9999")

    def task_log(
        self, dag_id: str, run_id: str, task_id: str, try_number: int = 1, map_index: int = -1
    ) -> str:
        """A task's log as text, one line an event."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}"
        found = self._json("GET", path, params={"map_index": map_index, "full_content": True})
        return "\n".join(_log_line(event) for event in found["content"])

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str = "return_value") -> Any:
        """A task's result under a key, as JSON holds it."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/{key}"
        return self._json("GET", path, params={"deserialize": True})["value"]

    def unpause(self, dag_id: str) -> None:
        """Let the DAG's runs start."""
        # SQLite has one writer, and refuses who has waited too long for it.
        for _ in range(4):
            answer = self._request("PATCH", f"/dags/{dag_id}", json={"is_paused": False})
            if answer.is_success:
                return
            if not answer.is_server_error:
                break
            time.sleep(1.0)
        self._json("PATCH", f"/dags/{dag_id}", json={"is_paused": False})

    def wait_for_dag(self, dag_id: str, seconds: float = 60.0) -> None:
        """Return once the DAG has been parsed; raises at once when its file cannot be imported."""
        deadline = time.monotonic() + seconds
        while True:
            answer = self._request("GET", f"/dags/{dag_id}")
            if answer.status_code == httpx.codes.OK and not answer.json().get("has_import_errors"):
                return
            broken = self._json("GET", "/importErrors")["import_errors"]
            if broken and (answer.status_code == httpx.codes.OK or time.monotonic() > deadline):
                last = broken[0]["stack_trace"].strip().splitlines()[-1]
                raise AirflowApiError(f"{broken[0]['filename']} cannot be imported by Airflow: {last}")
            if time.monotonic() > deadline:
                raise AirflowApiError(
                    f"Airflow does not know the DAG {dag_id} after {seconds:.0f} s; see `tidemark logs "
                    "airflow-dag-processor`"
                )
            time.sleep(0.3)

    def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = self._request(method, path, **options)
        if answer.is_error:
            raise AirflowApiError(
                f"Airflow refused {method} {path} ({answer.status_code}): {_detail(answer)}"
            )
        return dict(answer.json())

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            if "authorization" not in self._http.headers:
                self._authenticate()
            answer = self._http.request(method, f"/api/v2{path}", **options)
            if answer.status_code == httpx.codes.UNAUTHORIZED:  # the token has run out
                self._authenticate()
                answer = self._http.request(method, f"/api/v2{path}", **options)
            return answer
        except httpx.HTTPError as error:
            raise AirflowApiError(
                f"Airflow does not answer at {self._http.base_url}: {error or type(error).__name__}; "
                "see `tidemark status`"
            ) from error

    def _authenticate(self) -> None:
        self._http.headers.pop("authorization", None)
        answer = self._http.post("/auth/token", json=self._login)
        if answer.is_error:
            raise AirflowApiError(
                f"Airflow refused the login of {self._login['username']}: {_detail(answer)}"
            )
        self._http.headers["authorization"] = f"Bearer {answer.json()['access_token']}"


def _detail(answer: httpx.Response) -> str:
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return answer.text.strip()[:300] or answer.reason_phrase
    return str(detail)


def _log_line(event: str | dict[str, Any]) -> str:
    if isinstance(event, str):
        return event
    moment = str(event.get("timestamp") or "")[:23]
    words = [moment, str(event.get("level") or ""), str(event.get("event"))]
    # Airflow's own line says only that a task failed; what failed stands beside it.
    words += [f"{cause['exc_type']}: {cause['exc_value']}" for cause in (event.get("error_detail") or [])[:1]]
    return " ".join(word for word in words if word)
