{{ config(materialized='view') }}

select
    span_id,
    trace_id,
    session_id,
    agent,
    team,
    stage,
    tool,
    started_at,
    ended_at,
    duration_ms,
    status,
    error,
    input,
    output,
    _loaded_at
from {{ ref('dwd_agent_executions') }}
where operation = 'execute_tool'
