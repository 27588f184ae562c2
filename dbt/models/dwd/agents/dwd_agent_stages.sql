{{ config(order_by='(started_at, span_id)') }}
{%- set newest = ['iterations.occurred_at', 'iterations.iteration', 'iterations.score'] %}

with stages as (
    select *
    from {{ ref('dwd_agent_executions') }}
    where operation = 'invoke_agent' and stage != ''
),

iterations as (
    select trace_id, stage, iteration, score, occurred_at
    from {{ ref('dwd_agent_events') }}
    where kind = 'iteration_completed'
),

-- One trace may run the same stage twice: an iteration belongs to the span it happened in.
judged as (
    select
        stages.span_id as span_id,
        count(*) as iteration_count,
        {{ latest('iterations.score', newest) }} as score
    from stages
    inner join iterations on stages.trace_id = iterations.trace_id and stages.stage = iterations.stage
    where iterations.occurred_at >= stages.started_at and iterations.occurred_at <= stages.ended_at
    group by stages.span_id
)

select
    stages.span_id as span_id,
    stages.trace_id as trace_id,
    stages.session_id as session_id,
    stages.agent as agent,
    stages.team as team,
    stages.stage as stage,
    stages.started_at as started_at,
    stages.ended_at as ended_at,
    stages.duration_ms as duration_ms,
    stages.status as status,
    stages.error as error,
    judged.iteration_count as iteration_count,
    judged.score as score,
    stages._loaded_at as _loaded_at
from stages
left join judged on stages.span_id = judged.span_id
