{{ config(order_by='day') }}

with orders as (
    select
        {{ start_of('day', 'created_at') }} as day,
        count(*) as orders,
        sum(case when {{ is_kept('status') }} then 1 else 0 end) as orders_kept
    from {{ ref('dwd_orders') }}
    group by day
),

sales as (
    select
        day,
        sum(sold.items_sold) as items_sold,
        sum(sold.gross_revenue) as gross_revenue,
        sum(sold.revenue) as revenue,
        sum(sold.revenue) - sum(sold.cost_of_goods) as gross_margin
    from {{ ref('dws_sales_daily') }} as sold
    group by day
),

customers as (
    select
        day,
        sum(users.active_customers) as active_customers,
        sum(users.new_customers) as new_customers
    from {{ ref('dws_users_daily') }} as users
    group by day
)

select
    orders.day as day,
    orders.orders as orders,
    orders.orders_kept as orders_kept,
    sales.items_sold as items_sold,
    sales.gross_revenue as gross_revenue,
    sales.revenue as revenue,
    sales.gross_margin as gross_margin,
    sales.revenue / nullif(orders.orders_kept, 0) as average_order_value,
    coalesce(customers.active_customers, 0) as active_customers,
    coalesce(customers.new_customers, 0) as new_customers
from orders
inner join sales on orders.day = sales.day
left join customers on orders.day = customers.day
