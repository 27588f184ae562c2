{{ config(
    materialized='incremental',
    incremental_strategy='insert_overwrite',
    partition_by=by_month('created_at'),
    order_by='inventory_item_id',
) }}

with received as (
    select *
    from {{ source('commerce', 'commerce_inventory_items') }}
    where {{ in_touched_months(source('commerce', 'commerce_inventory_items'), 'created_at') }}
),

newest as (
    select *
    from received
    qualify row_number() over (partition by id order by _day desc, _loaded_at desc) = 1
)

select
    id as inventory_item_id,
    product_id,
    product_distribution_center_id as distribution_center_id,
    cost,
    created_at,
    sold_at,
    _loaded_at
from newest
