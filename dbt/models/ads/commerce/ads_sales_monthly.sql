{{ config(order_by='month') }}

with months as (
    select
        {{ start_of('month', 'day') }} as month,
        sum(days.orders) as orders,
        sum(days.orders_kept) as orders_kept,
        sum(days.items_sold) as items_sold,
        sum(days.revenue) as revenue,
        sum(days.gross_margin) as gross_margin,
        sum(days.new_customers) as new_customers
    from {{ ref('ads_sales_daily') }} as days
    group by month
)

select
    month,
    orders,
    items_sold,
    revenue,
    gross_margin,
    gross_margin / nullif(revenue, 0) as gross_margin_rate,
    revenue / nullif(orders_kept, 0) as average_order_value,
    new_customers,
    case
        when month = max(month) over () then null
        when nullif(any_value(revenue) over month_before_that, 0) is null then null
        else revenue / nullif(any_value(revenue) over previous_month, 0) - 1
    end as revenue_growth
from months
window
    previous_month as (order by month rows between 1 preceding and 1 preceding),
    month_before_that as (order by month rows between 2 preceding and 2 preceding)
