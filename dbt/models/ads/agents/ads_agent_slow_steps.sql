{{ config(order_by='(day, agent, stage, step, operation, tool)') }}

select
    {{ start_of('day', 'started_at') }} as day,
    agent,
    stage,
    step,
    operation,
    tool,
    count(*) as executions,
    sum(case when status = 'error' then 1 else 0 end) as failures,
    {{ percentile('duration_ms', 0.5) }} as duration_ms_p50,
    {{ percentile('duration_ms', 0.95) }} as duration_ms_p95,
    max(duration_ms) as duration_ms_max
from {{ ref('dwd_agent_executions') }}
group by day, agent, stage, step, operation, tool
