{{ config(order_by='(month, distribution_center)') }}

with stock as (
    select
        {{ start_of('month', 'day') }} as month,
        distribution_center_id,
        count(distinct day) as days,
        sum(shelves.units_sold) as units_sold,
        sum(shelves.cost_sold) as cost_sold,
        sum(cost_on_hand) as cost_days
    from {{ ref('dws_inventory_daily') }} as shelves
    group by month, distribution_center_id
)

select
    stock.month as month,
    stock.distribution_center_id as distribution_center_id,
    centers.name as distribution_center,
    stock.units_sold as units_sold,
    stock.cost_sold as cost_sold,
    stock.cost_days / stock.days as average_cost_on_hand,
    365 * stock.cost_sold / nullif(stock.cost_days, 0) as turnover_per_year,
    stock.cost_days / nullif(stock.cost_sold, 0) as days_of_inventory
from stock
inner join {{ ref('dwd_distribution_centers') }} as centers
    on stock.distribution_center_id = centers.distribution_center_id
