{{ config(order_by='session_id') }}

with runs as (
    select *
    from {{ ref('dwd_agent_runs') }}
    where session_id != ''
)

select
    session_id,
    min(runs.started_at) as started_at,
    max(runs.ended_at) as ended_at,
    count(*) as runs,
    sum(case when status = 'error' then 1 else 0 end) as failures,
    sum(tool_call_count) as tool_calls,
    sum(runs.input_tokens) as input_tokens,
    sum(runs.output_tokens) as output_tokens,
    sum(runs.cost_usd) as cost_usd
from runs
group by session_id
