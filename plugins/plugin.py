"""What Airflow loads at start: the hosted pages and their places in the menu."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """The hosted pages; imported at the first request, because every task loads this file too."""
    from tidemark_airflow.pages import app

    await app(scope, receive, send)


class TidemarkPlugin(AirflowPlugin):
    name = "tidemark"
    fastapi_apps = [{"app": pages, "url_prefix": "/tidemark", "name": "Tidemark"}]
    external_views = [
        {
            "name": "Reports",
            "href": "/tidemark/reports/",
            "destination": "nav",
            "nav_top_level": True,
            "url_route": "tidemark-reports",
        },
        {
            "name": "dbt docs",
            "href": "/tidemark/docs/",
            "destination": "nav",
            "nav_top_level": True,
            "url_route": "tidemark-dbt-docs",
        },
    ]
