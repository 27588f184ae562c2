{{ config(
    materialized='incremental',
    incremental_strategy='insert_overwrite',
    partition_by=by_month('created_at'),
    order_by='(created_at, order_id)',
) }}

with received as (
    select *
    from {{ source('commerce', 'commerce_orders') }}
    where
        {{ since_first_delivery(source('commerce', 'commerce_orders'), 'created_at') }}
        and {{ in_touched_months(source('commerce', 'commerce_orders'), 'created_at') }}
),

newest as (
    select *
    from received
    qualify row_number() over (partition by order_id order by _day desc, _loaded_at desc) = 1
)

select
    order_id,
    user_id,
    initcap(lower(trim(status))) as status,
    created_at,
    shipped_at,
    delivered_at,
    returned_at,
    num_of_item as item_count,
    _loaded_at
from newest
