{{ config(
    materialized='incremental',
    incremental_strategy='insert_overwrite',
    partition_by=by_month('created_at'),
    order_by='(created_at, event_id)',
) }}

with received as (
    select *
    from {{ source('commerce', 'commerce_events') }}
    where {{ in_touched_months(source('commerce', 'commerce_events'), 'created_at') }}
),

newest as (
    select *
    from received
    qualify row_number() over (partition by id order by _day desc, _loaded_at desc) = 1
)

select
    id as event_id,
    user_id,
    session_id,
    sequence_number,
    lower(trim(event_type)) as event_type,
    trim(traffic_source) as traffic_source,
    browser,
    uri,
    city,
    state,
    postal_code,
    ip_address,
    created_at,
    _loaded_at
from newest
