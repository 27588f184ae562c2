{{ config(
    materialized='incremental',
    incremental_strategy='insert_overwrite',
    partition_by=by_month('minute'),
    order_by='(minute, model, agent)',
) }}

with calls as (
    select *
    from {{ ref('dwd_agent_model_calls') }}
    where {{ in_touched_months(ref('dwd_agent_model_calls'), 'started_at') }}
)

select
    {{ start_of('minute', 'started_at') }} as minute,
    agent,
    team,
    stage,
    model,
    count(*) as calls,
    sum(case when status = 'error' then 1 else 0 end) as failures,
    sum(calls.input_tokens) as input_tokens,
    sum(calls.output_tokens) as output_tokens,
    sum(calls.cost_usd) as cost_usd,
    sum(duration_ms) as duration_ms_sum,
    max(calls._loaded_at) as _loaded_at
from calls
group by minute, agent, team, stage, model
