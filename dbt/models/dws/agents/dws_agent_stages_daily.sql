{{ config(order_by='(day, agent, stage)') }}

select
    {{ start_of('day', 'started_at') }} as day,
    agent,
    team,
    stage,
    count(*) as stage_runs,
    sum(case when status = 'error' then 1 else 0 end) as failures,
    avg(duration_ms) as duration_ms_avg,
    {{ percentile('duration_ms', 0.5) }} as duration_ms_p50,
    {{ percentile('duration_ms', 0.95) }} as duration_ms_p95,
    sum(coalesce(iteration_count, 0)) as iterations,
    avg(score) as score_avg
from {{ ref('dwd_agent_stages') }}
group by day, agent, team, stage
