{{ config(
    materialized='incremental',
    incremental_strategy='insert_overwrite',
    partition_by=by_month('minute'),
    order_by='(minute, tool, agent)',
) }}

with calls as (
    select *
    from {{ ref('dwd_agent_tool_calls') }}
    where {{ in_touched_months(ref('dwd_agent_tool_calls'), 'started_at') }}
)

select
    {{ start_of('minute', 'started_at') }} as minute,
    agent,
    team,
    stage,
    tool,
    count(*) as calls,
    sum(case when status = 'error' then 1 else 0 end) as failures,
    sum(duration_ms) as duration_ms_sum,
    max(duration_ms) as duration_ms_max,
    {{ latest("nullif(error, '')", ['started_at', 'span_id']) }} as last_error,
    max(calls._loaded_at) as _loaded_at
from calls
group by minute, agent, team, stage, tool
