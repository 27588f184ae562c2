{{ config(order_by='(day, country, traffic_source)') }}

with signed_up as (
    select
        {{ start_of('day', 'created_at') }} as day,
        country,
        traffic_source,
        count(*) as signups
    from {{ ref('dwd_users') }}
    group by day, country, traffic_source
),

active as (
    select
        {{ start_of('day', 'orders.created_at') }} as day,
        users.country as country,
        users.traffic_source as traffic_source,
        count(distinct orders.user_id) as active_customers,
        count(*) as orders
    from {{ ref('dwd_orders') }} as orders
    inner join {{ ref('dwd_users') }} as users on orders.user_id = users.user_id
    where orders.status != 'Cancelled'
    group by day, country, traffic_source
),

fresh as (
    select
        {{ start_of('day', 'customers.first_ordered_at') }} as day,
        users.country as country,
        users.traffic_source as traffic_source,
        count(*) as new_customers
    from {{ ref('dws_customers') }} as customers
    inner join {{ ref('dwd_users') }} as users on customers.user_id = users.user_id
    where customers.is_known_new = 1
    group by day, country, traffic_source
),

stacked as (
    select day, country, traffic_source, signups, 0 as active_customers, 0 as orders, 0 as new_customers
    from signed_up
    union all
    select day, country, traffic_source, 0 as signups, active_customers, orders, 0 as new_customers
    from active
    union all
    select day, country, traffic_source, 0 as signups, 0 as active_customers, 0 as orders, new_customers
    from fresh
)

select
    day,
    country,
    traffic_source,
    sum(stacked.signups) as signups,
    sum(stacked.active_customers) as active_customers,
    sum(stacked.orders) as orders,
    sum(stacked.new_customers) as new_customers
from stacked
group by day, country, traffic_source
