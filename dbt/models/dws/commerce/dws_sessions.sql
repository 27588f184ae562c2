{{ config(
    materialized='incremental',
    incremental_strategy='insert_overwrite',
    partition_by=by_month('started_on', 'date'),
    order_by='(started_on, session_id)',
) }}

-- A session never crosses midnight, so whole months hold whole sessions.
with events as (
    select *
    from {{ ref('dwd_events') }}
    where {{ in_touched_months(ref('dwd_events'), 'created_at') }}
)

select
    session_id,
    {{ start_of('day', 'min(created_at)') }} as started_on,
    max(user_id) as user_id,
    any_value(traffic_source) as channel,
    any_value(browser) as browser,
    min(created_at) as started_at,
    {{ milliseconds('min(created_at)', 'max(created_at)') }} / 1000 as seconds,
    count(*) as event_count,
    -- Who bought had a cart, even where that event is still to come.
    max(case when event_type in ('cart', 'purchase') then 1 else 0 end) as has_cart,
    max(case when event_type = 'purchase' then 1 else 0 end) as has_purchase,
    max(events._loaded_at) as _loaded_at
from events
group by session_id
