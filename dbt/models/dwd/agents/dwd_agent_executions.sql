{{ config(
    materialized='incremental',
    incremental_strategy='insert_overwrite',
    partition_by=by_month('started_at'),
    order_by='(started_at, span_id)',
) }}

with received as (
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
        _ingested_at as _loaded_at
    from {{ source('agents', 'agent_executions') }}
    where {{ is_new('_ingested_at') }}
),

{%- if is_incremental() %}

-- ODS forgets in time, so a month is rebuilt from what is here and what is new.
known as (
    select *
    from {{ this }}
    where {{ start_of('month', 'started_at') }} in (
        select {{ start_of('month', 'started_at') }} from received
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
qualify row_number() over (partition by span_id order by _loaded_at desc) = 1
