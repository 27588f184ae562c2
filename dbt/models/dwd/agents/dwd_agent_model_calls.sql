{{ config(materialized='view') }}

select
    span_id,
    trace_id,
    session_id,
    agent,
    team,
    stage,
    model,
    started_at,
    ended_at,
    duration_ms,
    status,
    error,
    coalesce(input_tokens, 0) as input_tokens,
    coalesce(output_tokens, 0) as output_tokens,
    coalesce(cost_usd, 0) as cost_usd,
    _loaded_at
from {{ ref('dwd_agent_executions') }}
where operation = 'chat'
