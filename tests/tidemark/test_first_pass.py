"""The newcomer's pass: which days it loads, and what it prints of an answer."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from tidemark.first_pass import in_short, missing_days
from warehouse import WarehouseSettings, connect
from warehouse_process import warehouse_server

YESTERDAY = date(2026, 11, 20)


def test_the_days_that_miss_are_loaded_and_no_others(tmp_path: Path) -> None:
    with warehouse_server(tmp_path) as server:
        warehouse = connect(WarehouseSettings(warehouse_url=server.url))
        history = (date(2026, 11, 16), YESTERDAY)
        assert missing_days(warehouse, YESTERDAY, 5) == history
        server.sql("create table ods.commerce_orders (_day Date) engine = MergeTree order by _day")
        assert missing_days(warehouse, YESTERDAY, 5) == history
        server.sql("insert into ods.commerce_orders values ('2026-11-17')")
        assert missing_days(warehouse, YESTERDAY, 5) == (date(2026, 11, 18), YESTERDAY)
        assert missing_days(warehouse, date(2026, 11, 17), 5) is None
        assert missing_days(warehouse, YESTERDAY - timedelta(days=9), 5) is None


def test_what_qualifies_a_figure_is_printed_with_it() -> None:
    text = "1. China: Revenue **$174**, before $275.\n2. Brasil: ...\n\n_this quarter runs until 2026-11-20_"
    assert in_short(text) == ("1. China: Revenue $174, before $275.", "this quarter runs until 2026-11-20")
    assert in_short("Revenue: **$1**.") == ("Revenue: $1.", "")
