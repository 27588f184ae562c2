{{ config(
    materialized='incremental',
    incremental_strategy='insert_overwrite',
    partition_by=by_month('day', 'date'),
    order_by='(day, country, category)',
) }}

with items as (
    select
        *,
        case when {{ is_kept('status') }} then 1 else 0 end as kept
    from {{ ref('dwd_order_items') }}
    where {{ in_touched_months(ref('dwd_order_items'), 'created_at') }}
),

users as (
    select user_id, country, traffic_source
    from {{ ref('dwd_users') }}
),

products as (
    select product_id, category, department
    from {{ ref('dwd_products') }}
)

select
    {{ start_of('day', 'items.created_at') }} as day,
    coalesce(users.country, 'Unknown') as country,
    coalesce(users.traffic_source, 'Unknown') as traffic_source,
    coalesce(products.category, 'Unknown') as category,
    coalesce(products.department, 'Unknown') as department,
    coalesce(items.distribution_center_id, 0) as distribution_center_id,
    count(*) as items_ordered,
    sum(items.kept) as items_sold,
    sum(case when items.status = 'Cancelled' then 1 else 0 end) as items_cancelled,
    sum(case when items.status = 'Returned' then 1 else 0 end) as items_returned,
    sum(items.sale_price) as gross_revenue,
    sum(items.sale_price * items.kept) as revenue,
    sum(coalesce(items.cost, 0) * items.kept) as cost_of_goods,
    max(items._loaded_at) as _loaded_at
from items
left join users on items.user_id = users.user_id
left join products on items.product_id = products.product_id
group by day, country, traffic_source, category, department, distribution_center_id
