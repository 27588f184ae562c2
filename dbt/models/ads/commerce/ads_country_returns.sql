{{ config(order_by='(month, country)') }}

with sales as (
    select
        {{ start_of('month', 'day') }} as month,
        country,
        sum(items_ordered - items_cancelled) as items_not_cancelled,
        sum(items_returned) as items_returned,
        sum(days.revenue) as revenue
    from {{ ref('dws_sales_daily') }} as days
    group by month, country
)

select
    month,
    country,
    items_not_cancelled,
    items_returned,
    revenue,
    items_returned / nullif(items_not_cancelled, 0) as return_rate
from sales
