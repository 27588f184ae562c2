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
    coalesce(spans.cost_usd, 0) as cost_usd,
    -- The rules are free.
    case when spans.cost_usd is null and model != 'rules' then 1 else 0 end as is_unpriced,
    _loaded_at
from {{ ref('dwd_agent_executions') }} as spans
where operation = 'chat'
