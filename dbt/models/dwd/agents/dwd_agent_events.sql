{{ config(
    materialized='incremental',
    incremental_strategy='insert_overwrite',
    partition_by=by_month('occurred_at'),
    order_by='(occurred_at, event_id)',
) }}

with received as (
    select
        event_id,
        session_id,
        trace_id,
        agent,
        stage,
        kind,
        iteration,
        score,
        detail,
        occurred_at,
        _ingested_at as _loaded_at
    from {{ source('agents', 'agent_events') }}
    where {{ is_new('_ingested_at') }}
),

{%- if is_incremental() %}

-- ODS forgets in time, so a month is rebuilt from what is here and what is new.
known as (
    select *
    from {{ this }}
    where {{ start_of('month', 'occurred_at') }} in (
        select {{ start_of('month', 'occurred_at') }} from received
    )
),

{%- endif %}

versions as (
    select * from received
    {%- if is_incremental() %}
    union all
    select * from known
    {%- endif %}
)

select *
from versions
qualify row_number() over (partition by event_id order by _loaded_at desc) = 1
