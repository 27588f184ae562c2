"""What anything that is opened here raises on purpose."""

from __future__ import annotations

from agents.runtime.errors import AgentError
from streaming.errors import StreamingError
from warehouse.errors import WarehouseError

RAISED = (AgentError, StreamingError, WarehouseError)
