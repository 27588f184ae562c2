{{ config(order_by='(day, agent, team)') }}

with runs as (
    select *
    from {{ ref('dwd_agent_runs') }}
)

select
    {{ start_of('day', 'started_at') }} as day,
    agent,
    team,
    count(*) as runs,
    sum(case when status = 'error' then 1 else 0 end) as failures,
    {{ percentile('duration_ms', 0.5) }} as duration_ms_p50,
    {{ percentile('duration_ms', 0.95) }} as duration_ms_p95,
    sum(runs.input_tokens) as input_tokens,
    sum(runs.output_tokens) as output_tokens,
    sum(runs.cost_usd) as cost_usd
from runs
group by day, agent, team
