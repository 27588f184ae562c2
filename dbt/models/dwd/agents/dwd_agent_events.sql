{{ config(
    materialized='incremental',
    incremental_strategy='insert_overwrite',
    partition_by=by_month('occurred_at'),
    order_by='(occurred_at, event_id)',
) }}

with received as (
    select *, _ingested_at as _loaded_at
    from {{ source('agents', 'agent_events') }}
),

touched as (
    select *
    from received
    where {{ in_touched_months('received', 'occurred_at') }}
),

newest as (
    select *
    from touched
    qualify row_number() over (partition by event_id order by _ingested_at desc, _offset desc) = 1
)

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
    _loaded_at
from newest
