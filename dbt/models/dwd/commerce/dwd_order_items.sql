{{ config(
    materialized='incremental',
    incremental_strategy='insert_overwrite',
    partition_by=by_month('created_at'),
    order_by='(created_at, order_item_id)',
) }}

with received as (
    select *
    from {{ source('commerce', 'commerce_order_items') }}
    where
        {{ since_first_delivery(source('commerce', 'commerce_order_items'), 'created_at') }}
        and {{ in_touched_months(source('commerce', 'commerce_order_items'), 'created_at') }}
),

newest as (
    select *
    from received
    qualify row_number() over (partition by id order by _day desc, _loaded_at desc) = 1
),

inventory as (
    select inventory_item_id, distribution_center_id, cost
    from {{ ref('dwd_inventory_items') }}
)

select
    newest.id as order_item_id,
    newest.order_id as order_id,
    newest.user_id as user_id,
    newest.product_id as product_id,
    newest.inventory_item_id as inventory_item_id,
    inventory.distribution_center_id as distribution_center_id,
    initcap(lower(trim(newest.status))) as status,
    newest.created_at as created_at,
    newest.shipped_at as shipped_at,
    newest.delivered_at as delivered_at,
    newest.returned_at as returned_at,
    newest.sale_price as sale_price,
    inventory.cost as cost,
    newest._loaded_at as _loaded_at
from newest
left join inventory on newest.inventory_item_id = inventory.inventory_item_id
