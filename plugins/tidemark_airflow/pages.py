"""The pages that Airflow hosts: the reports of the agents' runs and dbt's documentation, behind its login."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from html import escape, unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse

if TYPE_CHECKING:
    from wiring.settings import Settings

LISTED = 500
DOCS = {"index.html", "static_index.html", "manifest.json", "catalog.json", "semantic_manifest.json"}
# A report may draw, and may not call Airflow's API in the reader's name.
REPORT_POLICY = (
    "default-src 'self' data:; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; connect-src 'none'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'"
)

app = FastAPI(title="Tidemark", openapi_url=None, dependencies=[Depends(requires_access_dag("GET"))])


@cache
def settings() -> Settings:
    """What this process was told; read at the first request."""
    from wiring.settings import Settings

    return Settings.read()


@dataclass(frozen=True)
class Report:
    """One line of the list."""

    run_id: str
    question: str
    status: str
    written_at: datetime


@app.get("/", include_in_schema=False)
@app.get("/reports", include_in_schema=False)
def to_reports() -> RedirectResponse:
    return RedirectResponse("/tidemark/reports/")


@app.get("/reports/")
def report_list() -> HTMLResponse:
    """Every report, newest first."""
    found = read_reports(settings().agents.reports_dir)
    reports = sorted(found, key=lambda report: report.written_at, reverse=True)
    return HTMLResponse(render_list(reports[:LISTED]), headers={"Content-Security-Policy": REPORT_POLICY})


@app.get("/reports/{run_id}", include_in_schema=False)
def to_report(run_id: str) -> RedirectResponse:
    return RedirectResponse(f"/tidemark/reports/{quote(run_id)}/")


@app.get("/reports/{run_id}/{name:path}")
def report_file(run_id: str, name: str) -> FileResponse:
    """A file of one report; its page when no name is given."""
    folder = settings().agents.reports_dir
    return serve(folder, f"{run_id}/{name or 'index.html'}", {"Content-Security-Policy": REPORT_POLICY})


@app.get("/docs/", include_in_schema=False)
def docs() -> FileResponse:
    """dbt's documentation: the one-file form where it was generated."""
    folder = docs_folder()
    return docs_file("static_index.html" if (folder / "static_index.html").is_file() else "index.html")


@app.get("/docs/{name}")
def docs_file(name: str) -> FileResponse:
    if name not in DOCS:
        raise HTTPException(404, "dbt's documentation has no such file")
    return serve(docs_folder(), name, {})


def docs_folder() -> Path:
    """Where dbt writes for the connected project, which may be another since the last request."""
    from wiring.project import of_connected

    return of_connected(settings()).warehouse.dbt_target_dir


def serve(folder: Path, name: str, headers: Mapping[str, str]) -> FileResponse:
    """A file below `folder`, and nothing outside it: neither by `..` nor by a link."""
    root = folder.resolve()
    # A null byte is in no file's name, and in none that can be asked for.
    path = (root / name.replace("\0", "/")).resolve()
    if not path.is_relative_to(root) or not path.is_file():
        raise HTTPException(404, f"There is no {name} yet")
    return FileResponse(path, headers={"X-Content-Type-Options": "nosniff", **headers})


def read_reports(folder: Path) -> Iterator[Report]:
    """The reports of a folder; one that is still being written, or is broken, is left out.

    A page over several answers has no answer of its own and is listed by its title.
    """
    for path in folder.glob("*/index.html"):
        try:
            file = path.with_name("answer.json")
            answer: dict[str, Any] = (
                json.loads(file.read_text("utf-8"))
                if file.exists()
                else {"question": page_title(path), "status": "overview"}
            )
            yield Report(
                run_id=path.parent.name,
                question=str(answer["question"]),
                status=str(answer["status"]),
                written_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue


def page_title(path: Path) -> str:
    """What a page calls itself; its folder's name when it says nothing."""
    with path.open(encoding="utf-8") as page:
        found = re.search(r"<title>(.+?)</title>", page.read(2_000))
    return unescape(found[1]) if found else path.parent.name


def render_list(reports: list[Report]) -> str:
    rows = "\n".join(
        f'<tr><td><a href="/tidemark/reports/{quote(report.run_id)}/">{escape(report.question)}</a></td>'
        f"<td>{escape(report.status)}</td>"
        f"<td>{report.written_at:%Y-%m-%d %H:%M:%S} UTC</td></tr>"
        for report in reports
    )
    body = (
        f"<table><tr><th>Question</th><th>Status</th><th>Written</th></tr>{rows}</table>"
        if reports
        else "<p>No report yet. Trigger the DAG <b>ask</b>, or run <code>tidemark ask</code>.</p>"
    )
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Reports</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #8884 }}
</style><nav><a href="/">Airflow</a> · <a href="/tidemark/docs/">dbt docs</a></nav>
<h1>Reports</h1>{body}</html>"""
