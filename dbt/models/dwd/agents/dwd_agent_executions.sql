{{ config(
    materialized='incremental',
    incremental_strategy='insert_overwrite',
    partition_by=by_month('started_at'),
    order_by='(started_at, span_id)',
) }}

with received as (
    select *, _ingested_at as _loaded_at
    from {{ source('agents', 'agent_executions') }}
),

touched as (
    select *
    from received
    where {{ in_touched_months('received', 'started_at') }}
),

newest as (
    select *
    from touched
    qualify row_number() over (partition by span_id order by _ingested_at desc, _offset desc) = 1
)

select
    span_id,
    parent_span_id,
    trace_id,
    session_id,
    agent,
    coalesce(nullif({{ map_value('attributes', 'tidemark.team') }}, ''), 'unassigned') as team,
    stage,
    step,
    name,
    operation,
    model,
    tool,
    started_at,
    ended_at,
    {{ milliseconds('started_at', 'ended_at') }} as duration_ms,
    status,
    error,
    input_tokens,
    output_tokens,
    cost_usd,
    attributes,
    input,
    output,
    _loaded_at
from newest
