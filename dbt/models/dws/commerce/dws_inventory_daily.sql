{{ config(order_by='(day, distribution_center_id, category)') }}

with items as (
    select
        inventory.distribution_center_id as distribution_center_id,
        coalesce(products.category, 'Unknown') as category,
        {{ start_of('day', 'inventory.created_at') }} as stocked_on,
        case
            when inventory.sold_at is not null then {{ start_of('day', 'inventory.sold_at') }}
        end as sold_on,
        inventory.cost as cost
    from {{ ref('dwd_inventory_items') }} as inventory
    left join {{ ref('dwd_products') }} as products on inventory.product_id = products.product_id
),

history as (
    select
        {{ start_of('day', 'min(created_at)') }} as first_day,
        {{ start_of('day', 'max(created_at)') }} as last_day
    from {{ ref('dwd_orders') }}
),

movements as (
    select
        distribution_center_id, category, stocked_on as day, cost,
        1 as units_in, 0 as units_out
    from items
    union all
    select
        distribution_center_id, category, sold_on as day, cost,
        0 as units_in, 1 as units_out
    from items
    where sold_on is not null
),

-- What was stocked before the history starts counts on its first day.
flows as (
    select
        movements.distribution_center_id as distribution_center_id,
        movements.category as category,
        greatest(movements.day, history.first_day) as counted_on,
        sum(movements.units_in) as units_in,
        sum(movements.units_out) as units_out,
        sum(movements.units_in * movements.cost) as cost_in,
        sum(movements.units_out * movements.cost) as cost_out
    from movements
    cross join history
    group by distribution_center_id, category, counted_on
),

shelves as (
    select distinct distribution_center_id, category
    from items
),

every_day as (
    select
        days.day as day,
        shelves.distribution_center_id as distribution_center_id,
        shelves.category as category
    from {{ ref('dws_days') }} as days
    cross join history
    cross join shelves
    where days.day between history.first_day and history.last_day
),

dense as (
    select
        every_day.day as day,
        every_day.distribution_center_id as distribution_center_id,
        every_day.category as category,
        coalesce(flows.units_in, 0) as units_stocked,
        coalesce(flows.units_out, 0) as units_sold,
        coalesce(flows.cost_in, 0) as cost_stocked,
        coalesce(flows.cost_out, 0) as cost_sold
    from every_day
    left join flows
        on
            every_day.day = flows.counted_on
            and every_day.distribution_center_id = flows.distribution_center_id
            and every_day.category = flows.category
)

select
    day,
    distribution_center_id,
    category,
    units_stocked,
    units_sold,
    cost_sold,
    sum(units_stocked - units_sold) over shelf as units_on_hand,
    sum(cost_stocked - cost_sold) over shelf as cost_on_hand
from dense
window shelf as (
    partition by distribution_center_id, category
    order by day
    rows between unbounded preceding and current row
)
