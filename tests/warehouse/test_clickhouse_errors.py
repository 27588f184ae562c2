"""One map of the server's numbers, for what reads and for what loads."""

from __future__ import annotations

import pytest

from warehouse.clickhouse.errors import of_code
from warehouse.errors import (
    AccessDeniedError,
    CancelledError,
    LimitExceededError,
    OverloadedError,
    PermanentError,
    QueryError,
    RowsRefusedError,
    TidemarkError,
    TransientError,
)


@pytest.mark.parametrize(
    ("code", "reading", "loading"),
    [
        (202, OverloadedError, OverloadedError),  # too many queries
        (252, OverloadedError, OverloadedError),  # too many parts
        (394, CancelledError, CancelledError),
        (158, LimitExceededError, LimitExceededError),  # too many rows
        # A query asks for as much again; a batch is as large as those that have passed.
        (159, LimitExceededError, OverloadedError),  # time
        (241, LimitExceededError, OverloadedError),  # memory
        (27, QueryError, RowsRefusedError),  # a value that is none of its column's
        (117, QueryError, RowsRefusedError),
        (60, QueryError, QueryError),  # no such table
        (497, AccessDeniedError, AccessDeniedError),
        (516, AccessDeniedError, AccessDeniedError),
        (None, QueryError, QueryError),
    ],
)
def test_a_number_means_the_same_to_all_but_pressure_and_values(
    code: int | None, reading: type[TidemarkError], loading: type[TidemarkError]
) -> None:
    found = {of_code(code, "Why.", "reader", loading=one).__class__ for one in (False, True)}
    assert found == {reading, loading}
    assert type(of_code(code, "Why.", "reader", loading=True)) is loading
    assert all(issubclass(one, PermanentError) != issubclass(one, TransientError) for one in found)
