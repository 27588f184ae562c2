{{ config(order_by='(month, category, department)') }}

with sales as (
    select
        {{ start_of('month', 'day') }} as month,
        category,
        department,
        sum(days.items_ordered) as items_ordered,
        sum(days.items_sold) as items_sold,
        sum(days.items_returned) as items_returned,
        sum(days.items_cancelled) as items_cancelled,
        sum(days.revenue) as revenue,
        sum(days.revenue) - sum(days.cost_of_goods) as gross_margin
    from {{ ref('dws_sales_daily') }} as days
    group by month, category, department
)

select
    month,
    category,
    department,
    items_ordered,
    items_sold,
    revenue,
    gross_margin,
    items_returned / nullif(items_ordered - items_cancelled, 0) as return_rate,
    revenue / nullif(sum(revenue) over (partition by month), 0) as revenue_share
from sales
