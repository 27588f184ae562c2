{{ config(order_by='user_id') }}

with orders as (
    select *
    from {{ ref('dwd_orders') }}
    where status != 'Cancelled'
),

spent as (
    select
        user_id,
        sum(sale_price) as lifetime_revenue
    from {{ ref('dwd_order_items') }}
    where {{ is_kept('status') }}
    group by user_id
),

bought as (
    select
        user_id,
        min(created_at) as first_ordered_at,
        max(created_at) as last_ordered_at,
        count(*) as order_count
    from orders
    group by user_id
),

history as (
    select min(created_at) as started_at
    from {{ ref('dwd_orders') }}
)

-- Who signed up before the history starts may have bought before it, too: not known to be new.
select
    bought.user_id as user_id,
    bought.first_ordered_at as first_ordered_at,
    bought.last_ordered_at as last_ordered_at,
    bought.order_count as order_count,
    coalesce(spent.lifetime_revenue, 0) as lifetime_revenue,
    case when users.created_at >= history.started_at then 1 else 0 end as is_known_new
from bought
inner join {{ ref('dwd_users') }} as users on bought.user_id = users.user_id
left join spent on bought.user_id = spent.user_id
cross join history
